import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Effect, Fiber, Layer, Logger, ManagedRuntime, Schedule } from "effect"
import postgres from "postgres"
import type { DomainEvent } from "#domain/events.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { START_MILLIS, startPostgres, type TestPostgres } from "#infra/read-store/node/testing.ts"
import { ReadStore, RowStore } from "#infra/read-store/port.ts"
import { postgresReadStore } from "#infra/read-store/postgres.ts"
import { postgresRowStore } from "#infra/read-store/postgres-writing.ts"
import { channel, findChannel } from "#projections/channel.ts"
import { listPublicVideos } from "#projections/home-list.ts"
import { listModeration, moderationLog } from "#projections/moderation-log.ts"
import { readCursor } from "#projections/pages.ts"
import { projections, readModels, streamsRead } from "#projections/read-models.ts"
import { rebuild } from "#projections/rebuild.ts"
import { listChannelVideos, studioList } from "#projections/studio-list.ts"
import { at, channelId, lifeOf, sealed, videoIdOf } from "#projections/testing-events.ts"
import { findTranscodeProgress, transcodeProgress } from "#projections/transcode-progress.ts"
import { findWatchPage, watchPage } from "#projections/watch-page.ts"
import { projector } from "./app.ts"
import { happen, wholeLife } from "./testing.ts"

type Services = EventStore | ReadStore | RowStore

let node: TestPostgres
let runtime: ManagedRuntime.ManagedRuntime<Services, unknown>

beforeAll(async () => {
  node = await startPostgres()
  const rows = Layer.merge(postgresReadStore(readModels), postgresRowStore(readModels))
  const environment = environmentLayer({ REELOG_DATABASE_URLS: node.urls.join(",") })
  runtime = ManagedRuntime.make(
    Layer.mergeAll(memoryEventStore, rows, Logger.layer([])).pipe(Layer.provide(environment)),
  )
}, START_MILLIS)
afterAll(async () => {
  await runtime.dispose()
  await node.stop()
})

const dropAll = async () => {
  for (const url of node.urls) {
    const sql = postgres(url, { max: 1, onnotice: () => {} })
    await sql.unsafe("drop schema public cascade; create schema public")
    await sql.end()
  }
}

/** While a projector follows. */
const alongside = <A, E>(story: Effect.Effect<A, E, Services>) =>
  Effect.gen(function* () {
    const running = yield* Effect.forkChild(projector({ projections, streams: streamsRead }))
    const ended = Effect.flatMap(Fiber.join(running), () => Effect.die("the projector ended"))
    return yield* Effect.raceFirst(story, ended)
  })

const following = <A, E>(story: Effect.Effect<A, E, Services>) =>
  runtime.runPromise(alongside(story))

/** Appends, and waits until a reader of the model has it. */
const shown = (model: { readonly name: string }, ...events: ReadonlyArray<DomainEvent>) =>
  Effect.gen(function* () {
    const store = yield* ReadStore
    const position = yield* happen(...events)
    yield* store.waitFor(model.name, position)
    return store
  })

const rebuildAll = Effect.gen(function* () {
  const log = yield* EventStore
  const rows = yield* RowStore
  return yield* Effect.forEach(projections, (each) => rebuild(log, rows, each, streamsRead))
})

describe("what happened", () => {
  test("is read by whoever waits for its position", () =>
    following(
      Effect.gen(function* () {
        const store = yield* shown(watchPage, ...wholeLife(1))
        const page = yield* findWatchPage(store, videoIdOf(1))
        expect(page).toMatchObject({ state: "published", durationTicks: 540_000, revision: 2 })
        yield* store.waitFor(transcodeProgress.name, page?.position ?? "")
        const progress = yield* findTranscodeProgress(store, videoIdOf(1))
        expect(progress).toMatchObject({ bytesReceived: 20, isAudioDone: true })
      }),
    ))

  test("is waited for even when it changes no row", () =>
    following(
      Effect.gen(function* () {
        const link = { _tag: "SignInLinkUsed", link: "x", at: at(0) } as const
        yield* shown(watchPage, { ...link, accountId: lifeOf(1).created.accountId })
        const tick = { _tag: "SchedulerTicked", cell: "loc", epoch: 1 } as const
        yield* shown(watchPage, tick)
      }),
    ))

  test("is listed newest first, page after page, across the shards", () =>
    following(
      Effect.gen(function* () {
        const lives = [2, 3, 4, 5].flatMap(wholeLife)
        const store = yield* shown(watchPage, ...lives)
        const first = yield* listPublicVideos(store, { limit: 3 })
        expect(first.rows.map(({ videoId }) => videoId)).toEqual([5, 4, 3].map(videoIdOf))
        const after = readCursor(first.next ?? "")
        const rest = yield* listPublicVideos(store, { limit: 3, ...(after && { after }) })
        expect(rest.rows.map(({ videoId }) => videoId)).toEqual([2, 1].map(videoIdOf))
        expect(rest.next).toBeNull()
      }),
    ))

  test("to a video that was taken down is in the studio and in the log of moderation", () =>
    following(
      Effect.gen(function* () {
        const { takenDown, reinstated } = lifeOf(5)
        const store = yield* shown(moderationLog, takenDown, reinstated, takenDown)
        const { rows } = yield* listModeration(store, { limit: 10, videoId: videoIdOf(5) })
        expect(rows.map(({ action }) => action).sort()).toEqual([
          "reinstated",
          "taken-down",
          "taken-down",
        ])
        yield* store.waitFor(studioList.name, rows[0]?.position ?? "")
        const studio = yield* listChannelVideos(store, { channelId, limit: 1 })
        expect(studio.rows[0]).toMatchObject({ videoId: videoIdOf(5), state: "taken-down" })
        const home = yield* listPublicVideos(store, { limit: 9 })
        expect(home.rows).toHaveLength(4)
      }),
    ))

  test("to a channel is found by its name", () =>
    following(
      Effect.gen(function* () {
        const { accountId } = lifeOf(1).created
        const opened = { channelId, accountId, name: sealed("Rick"), at: at(1) }
        const store = yield* shown(channel, { _tag: "ChannelOpened", ...opened })
        expect(yield* findChannel(store, channelId)).toMatchObject({ name: sealed("Rick") })
      }),
    ))
})

describe("an event that can't be used", () => {
  test("because nobody can read it is parked, and the rest goes on", () =>
    following(
      Effect.gen(function* () {
        const nonsense = { _tag: "VideoPraised", videoId: videoIdOf(6) } as unknown as DomainEvent
        const store = yield* shown(watchPage, nonsense, lifeOf(6).created)
        expect(yield* findWatchPage(store, videoIdOf(6))).toMatchObject({ state: "uploading" })
        expect(yield* store.parked).toMatchObject([
          { type: "VideoPraised", model: "*", reason: "unknown type" },
        ])
      }),
    ))

  test("because Postgres refuses its row is parked, and its neighbours are kept", () =>
    following(
      Effect.gen(function* () {
        const { takenDown } = lifeOf(6)
        const poison = { ...takenDown, actor: "nul \u0000" }
        const store = yield* shown(moderationLog, lifeOf(7).created, poison, lifeOf(8).created)
        const parked = yield* store.parked
        expect(parked.map(({ type, model }) => [type, model])).toContainEqual([
          "VideoTakenDown",
          moderationLog.name,
        ])
        for (const n of [7, 8]) {
          expect(yield* findWatchPage(store, videoIdOf(n))).toMatchObject({ state: "uploading" })
        }
      }),
    ))
})

describe("a rebuild", () => {
  test("makes the same rows", () =>
    following(
      Effect.gen(function* () {
        yield* shown(watchPage, ...[10, 11, 12].flatMap(wholeLife))
        const reports = yield* rebuildAll
        expect(reports.map(({ model, differences }) => [model, differences])).toEqual(
          projections.map(({ name }) => [name, 0]),
        )
        const store = yield* shown(watchPage, lifeOf(12).takenDown)
        expect(yield* findWatchPage(store, videoIdOf(12))).toMatchObject({ state: "taken-down" })
      }),
    ))

  test("finds what was tampered with, and mends it", async () => {
    for (const url of node.urls) {
      const sql = postgres(url, { max: 1 })
      await sql`update watch_pages set state = 'failed' where video_id = ${videoIdOf(10)}`
      await sql`delete from watch_pages where video_id = ${videoIdOf(11)}`
      await sql.end()
    }
    await following(
      Effect.gen(function* () {
        const log = yield* EventStore
        const rows = yield* RowStore
        const report = yield* rebuild(log, rows, watchPage, streamsRead)
        expect(report).toMatchObject({ model: watchPage.name, differences: 2 })
        expect([...report.examples].sort()).toEqual([10, 11].map(videoIdOf))
        const store = yield* ReadStore
        expect(yield* findWatchPage(store, videoIdOf(10))).toMatchObject({ state: "published" })
      }),
    )
  })

  test("of databases that were emptied happens by itself", async () => {
    await dropAll()
    await following(
      Effect.gen(function* () {
        const store = yield* shown(watchPage, lifeOf(13).created)
        expect(yield* findWatchPage(store, videoIdOf(1))).toMatchObject({ state: "published" })
        const reports = yield* rebuildAll
        expect(reports.every(({ differences }) => differences === 0)).toBe(true)
      }),
    )
  })
})

test("tables that are dropped under a running projector are filled again", () =>
  following(
    Effect.gen(function* () {
      yield* shown(watchPage, lifeOf(14).created)
      yield* Effect.promise(dropAll)
      const store = yield* shown(watchPage, lifeOf(15).created)
      expect(yield* findWatchPage(store, videoIdOf(14))).toMatchObject({ state: "uploading" })
      expect(yield* findWatchPage(store, videoIdOf(1))).toMatchObject({ state: "published" })
    }),
  ))

test(
  "a Postgres that is killed is waited for",
  () =>
    following(
      Effect.gen(function* () {
        const position = yield* happen(lifeOf(16).created)
        const pidFile = `${node.directory}/cluster/postmaster.pid`
        const text = yield* Effect.promise(() => Bun.file(pidFile).text())
        process.kill(Number(text.split("\n")[0]), "SIGKILL")
        const later = yield* happen(lifeOf(17).created)
        const store = yield* ReadStore
        for (const each of [position, later]) {
          yield* Effect.retry(store.waitFor(watchPage.name, each), Schedule.spaced("50 millis"))
        }
        const find = findWatchPage(store, videoIdOf(17))
        expect(yield* find).toMatchObject({ state: "uploading" })
      }),
    ),
  START_MILLIS,
)

test("two projectors at once write what one would", () =>
  following(
    alongside(
      Effect.gen(function* () {
        yield* shown(watchPage, ...[20, 21, 22, 23].flatMap(wholeLife))
        const reports = yield* rebuildAll
        expect(reports.map(({ differences }) => differences)).toEqual(projections.map(() => 0))
      }),
    ),
  ))
