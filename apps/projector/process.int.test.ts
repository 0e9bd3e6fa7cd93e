/** The projector as a process on real stores, killed at random: what it leaves is what a rebuild makes. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { Effect, Fiber, Layer, Logger } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { spawnNode, type TestNode } from "#infra/event-store/node/testing.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { START_MILLIS, startPostgres, type TestPostgres } from "#infra/read-store/node/testing.ts"
import { ReadStore, RowStore } from "#infra/read-store/port.ts"
import { postgresReadStore } from "#infra/read-store/postgres.ts"
import { postgresRowStore } from "#infra/read-store/postgres-writing.ts"
import { projections, readModels, streamsRead } from "#projections/read-models.ts"
import { rebuild } from "#projections/rebuild.ts"
import { happen, wholeLife } from "./testing.ts"

const VIDEOS = 80
const KILLS = 4

let log: TestNode
let node: TestPostgres
let running: Bun.Subprocess | undefined

beforeAll(async () => {
  ;[log, node] = await Promise.all([spawnNode(), startPostgres()])
}, START_MILLIS)
afterAll(async () => {
  running?.kill("SIGKILL")
  await running?.exited
  await Promise.all([log.dispose(), node.stop()])
})

const environment = () => {
  return { REELOG_EVENTSTORE_URL: log.url, REELOG_DATABASE_URLS: node.urls.join(",") }
}

const spawnProjector = () => {
  running = Bun.spawn([process.execPath, `${import.meta.dir}/main.ts`], {
    env: { ...process.env, ...environment(), REELOG_PARENT_PID: String(process.pid) },
    stdout: "ignore",
    stderr: "ignore",
  })
  return running
}

/** Until some model of some database has come further than before. */
const untilItMoves = Effect.gen(function* () {
  const store = yield* ReadStore
  const places = Effect.map(store.checkpoints, (all) => JSON.stringify(all))
  const before = yield* places
  yield* Effect.repeat(Effect.andThen(Effect.sleep("5 millis"), places), {
    until: (now) => now !== before,
  })
})

const story = Effect.gen(function* () {
  const store = yield* ReadStore
  const rows = yield* RowStore
  const events = yield* EventStore
  let child = spawnProjector()
  const lives = Array.from({ length: VIDEOS }, (_, n) => wholeLife(n)).flat()
  const writing = yield* Effect.forkChild(happen(...lives))
  for (let kill = 0; kill < KILLS; kill++) {
    yield* untilItMoves
    child.kill("SIGKILL")
    yield* Effect.promise(() => child.exited)
    child = spawnProjector()
  }
  const position = yield* Fiber.join(writing)
  for (const { name } of projections) yield* store.waitFor(name, position)
  const reports = yield* Effect.forEach(projections, (each) =>
    rebuild(events, rows, each, streamsRead),
  )
  expect(reports.map(({ differences }) => differences)).toEqual(projections.map(() => 0))
  expect(reports[0]?.rows).toBe(VIDEOS)
  child.kill("SIGTERM")
  expect(yield* Effect.promise(() => child.exited)).toBe(0)
})

test("a projector that is killed again and again leaves what a rebuild makes", async () => {
  const stores = Layer.mergeAll(
    eventStoreDb,
    postgresReadStore(readModels),
    postgresRowStore(readModels),
    Logger.layer([]),
  )
  const layers = Layer.provide(stores, environmentLayer(environment()))
  await Effect.runPromise(Effect.provide(story, layers))
}, 120_000)
