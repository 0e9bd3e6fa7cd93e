import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { ConfigProvider, Effect, Fiber, Latch, Layer, Stream } from "effect"
import { accept, type Decider } from "#domain/decider.ts"
import { takedownStream } from "#domain/ids.ts"
import type { TakedownEvent } from "#domain/takedown/events.ts"
import { verifyChain } from "./chain.ts"
import { eventStoreContract } from "./contract.ts"
import { anyVideo, fill, lifted, runWith } from "./contract-events.ts"
import { eventStoreDb } from "./eventstoredb.ts"
import { execute } from "./execute.ts"
import { spawnNode, type TestNode } from "./node/testing.ts"
import { EventStore } from "./port.ts"

const storeAt = (url: () => string) =>
  Layer.unwrap(
    Effect.sync(() =>
      eventStoreDb.pipe(
        Layer.provide(
          ConfigProvider.layer(ConfigProvider.fromUnknown({ REELOG_EVENTSTORE_URL: url() })),
        ),
      ),
    ),
  )

let node: TestNode
beforeAll(async () => {
  node = await spawnNode()
})
afterAll(() => node.dispose())

const embedded = storeAt(() => node.url)
const run = runWith(embedded)

eventStoreContract("the embedded", embedded)

const real = process.env.REELOG_TEST_EVENTSTORE
if (real !== undefined)
  eventStoreContract(
    "the real",
    storeAt(() => real),
  )

const revisions = (
  stream: string,
  count: number,
  each: (revision: number) => Effect.Effect<unknown> = () => Effect.void,
) =>
  EventStore.use((store) =>
    store.follow({ filter: { streams: [stream] } }).pipe(
      Stream.map((news) => (news._tag === "Event" ? news.recorded.revision : -1)),
      Stream.filter((revision) => revision >= 0),
      Stream.tap(each),
      Stream.take(count),
      Stream.runCollect,
    ),
  )

test("every one of many rivals for a stream has its turn", () =>
  run(
    Effect.gen(function* () {
      const store = yield* EventStore
      const videoId = anyVideo()
      const stream = takedownStream(videoId)
      const always: Decider<number, string, TakedownEvent, never> = {
        stream: () => stream,
        initial: 0,
        decide: () => accept(lifted(videoId)),
        evolve: (count) => count + 1,
      }
      yield* Effect.forEach(
        Array.from({ length: 24 }, (_, rival) => `rival ${rival}`),
        (cause) => execute(always, cause, { cause, actor: "test" }),
        { concurrency: "unbounded" },
      )
      const recorded = yield* store.read(stream)
      expect(recorded).toHaveLength(24)
      expect(verifyChain(recorded)).toEqual([])
    }),
  ))

describe("a node that was killed and came back", () => {
  test("is followed on from where it was, without a gap or a repetition", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const stream = takedownStream(videoId)
        yield* fill(videoId, 3)
        const bothAreThere = yield* Latch.make()
        let thirds = 0
        const mark = (revision: number) =>
          Effect.suspend(() => {
            if (revision === 2) thirds += 1
            return thirds === 2 ? bothAreThere.open : Effect.void
          })
        const log = yield* Effect.forkChild(revisions(stream, 6, mark))
        const one = yield* store.followStream(stream).pipe(
          Stream.tap(({ revision }) => mark(revision)),
          Stream.take(6),
          Stream.runCollect,
          Effect.forkChild,
        )
        yield* bothAreThere.await
        yield* Effect.promise(() => node.kill())
        yield* Effect.promise(() => node.start())
        yield* fill(videoId, 3)
        expect(yield* Fiber.join(log)).toEqual([0, 1, 2, 3, 4, 5])
        expect((yield* Fiber.join(one)).map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5])
      }),
    ))

  test("answers an append that was made while it was away, once", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        yield* fill(videoId, 1)
        yield* Effect.promise(() => node.kill())
        const appending = yield* Effect.forkChild(fill(videoId, 1), { startImmediately: true })
        yield* Effect.promise(() => node.start())
        expect(yield* Fiber.join(appending)).toMatchObject({ revision: 1 })
        expect(yield* store.read(takedownStream(videoId))).toHaveLength(2)
      }),
    ))

  test("has every append it acknowledged, also those in full flight", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoIds = Array.from({ length: 32 }, () => anyVideo())
        const acknowledged = new Map<string, number>()
        const inFullFlight = yield* Latch.make()
        const writing = yield* Effect.forEach(
          videoIds,
          (videoId) =>
            fill(videoId, 1).pipe(
              Effect.tap(({ revision }) => {
                acknowledged.set(videoId, revision)
                const isEnough = acknowledged.size === 32 && revision === 5
                return isEnough ? inFullFlight.open : Effect.void
              }),
              Effect.forever,
            ),
          { concurrency: "unbounded" },
        ).pipe(Effect.forkChild)
        yield* inFullFlight.await
        yield* Effect.promise(() => node.kill())
        const promised = new Map(acknowledged)
        yield* Fiber.interrupt(writing)
        yield* Effect.promise(() => node.start())
        expect(promised.size).toBe(32)
        for (const [videoId, revision] of promised) {
          const kept = yield* store.read(takedownStream(videoId))
          expect(kept.length).toBeGreaterThan(revision)
          expect(new Set(kept.map(({ id }) => id)).size).toBe(kept.length)
        }
      }),
    ))

  test("keeps its groups, and delivers again what nobody had answered for", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const group = {
          name: `kept-${videoId}`,
          filter: { streams: [takedownStream(videoId)] },
          maxRetryCount: 5,
          messageTimeoutMillis: 10_000,
        }
        yield* fill(videoId, 2)
        const seen: Array<number> = []
        const heldBack = yield* Latch.make()
        const consuming = yield* store.consume(group, 1).pipe(
          Stream.tap(({ recorded }) => Effect.sync(() => seen.push(recorded.revision))),
          // The first is answered for, the second only the second time.
          Stream.tap((delivery) => (seen.length === 2 ? heldBack.open : delivery.ack)),
          Stream.takeUntil(() => seen.filter((revision) => revision === 1).length === 2),
          Stream.runDrain,
          Effect.forkChild,
        )
        yield* heldBack.await
        yield* Effect.promise(() => node.kill())
        yield* Effect.promise(() => node.start())
        yield* Fiber.join(consuming)
        expect(seen).toContain(0)
        expect(seen.filter((revision) => revision === 1)).toHaveLength(2)
      }),
    ))
})
