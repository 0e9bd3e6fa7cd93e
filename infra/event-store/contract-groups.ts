/** What every event store must do for groups of competing consumers. */
import { describe, expect, test } from "bun:test"
import { Deferred, Effect, Fiber, Stream } from "effect"
import { takedownStream, type VideoId } from "#domain/ids.ts"
import { anyVideo, fill } from "./contract-events.ts"
import { type Delivery, EventStore, type Group } from "./port.ts"

const groupOf = (videoId: VideoId, changes: Partial<Group> = {}): Group => ({
  name: `contract-${videoId}`,
  filter: { streams: [takedownStream(videoId)] },
  maxRetryCount: 2,
  messageTimeoutMillis: 10_000,
  ...changes,
})

/** Takes as many deliveries as told, and does with each what it is told. */
const consuming = <E>(
  group: Group,
  count: number,
  answer: (delivery: Delivery) => Effect.Effect<void, E>,
  buffer = 10,
) =>
  EventStore.use((store) =>
    store.consume(group, buffer).pipe(
      Stream.tap(answer),
      Stream.map(({ recorded, retryCount }) => [recorded.revision, retryCount] as const),
      Stream.take(count),
      Stream.runCollect,
    ),
  )

const ack = (delivery: Delivery) => delivery.ack
const park = (delivery: Delivery) => delivery.park("not today")

/** The state of a group once it is as wanted; a group settles a moment after its consumer has answered. */
const settled = Effect.fnUntraced(function* (name: string, wanted: object) {
  const store = yield* EventStore
  for (let tries = 0; tries < 200; tries++) {
    const state = yield* store.groupState(name)
    if (Bun.deepMatch(wanted, { ...state })) return state
    yield* Effect.sleep("20 millis")
  }
  return yield* store.groupState(name)
})

export const groupContract = (
  name: string,
  run: <A, E>(effect: Effect.Effect<A, E, EventStore>) => Promise<A>,
) => {
  describe(`${name} event store, sharing work`, () => {
    test("delivers each event of a group to one of its consumers", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const group = groupOf(videoId)
          yield* fill(videoId, 6)
          const seen: Array<number> = []
          const all = yield* Deferred.make<void>()
          const consumer = EventStore.use((store) =>
            store.consume(group, 1).pipe(
              Stream.runForEach(
                Effect.fnUntraced(function* (delivery) {
                  seen.push(delivery.recorded.revision)
                  yield* delivery.ack
                  if (seen.length === 8) yield* Deferred.succeed(all, undefined)
                }),
              ),
            ),
          )
          const consumers = yield* Effect.all([
            Effect.forkChild(consumer),
            Effect.forkChild(consumer),
          ])
          yield* fill(videoId, 2)
          yield* Deferred.await(all)
          yield* Fiber.interruptAll(consumers)
          expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
        }),
      ))

    test("keeps no more in flight than a consumer asked for", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const group = groupOf(videoId)
          yield* fill(videoId, 5)
          const taking = yield* store.consume(group, 2).pipe(
            Stream.runForEach(() => Effect.never),
            Effect.forkChild,
          )
          const wanted = { inFlight: 2, connections: 1, parked: 0 }
          expect(yield* settled(group.name, wanted)).toMatchObject(wanted)
          yield* Fiber.interrupt(taking)
        }),
      ))

    test("delivers again what a consumer gave back, and parks it after the last try", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const group = groupOf(videoId)
          yield* fill(videoId, 1)
          const tries = yield* consuming(group, 3, (delivery) => delivery.retry("not yet"))
          expect(tries).toEqual([
            [0, 0],
            [0, 1],
            [0, 2],
          ])
          const wanted = { parked: 1, inFlight: 0, backlog: 0 }
          expect(yield* settled(group.name, wanted)).toMatchObject(wanted)
          const store = yield* EventStore
          const [parked, ...others] = yield* store.parkedOf(group.name, 10)
          expect(others).toEqual([])
          expect(parked?.recorded).toMatchObject({ stream: takedownStream(videoId), revision: 0 })
          expect(parked?.reason).toBe("not yet")
          // 0: other servers than ours don't keep it.
          expect([0, 3]).toContain(parked?.tries ?? -1)
        }),
      ))

    test("keeps what was parked until it is replayed", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const group = groupOf(videoId)
          yield* fill(videoId, 2)
          yield* consuming(group, 2, park)
          expect(yield* settled(group.name, { parked: 2 })).toMatchObject({ parked: 2 })
          const newestFirst = yield* store.parkedOf(group.name, 1)
          expect(newestFirst.map(({ recorded }) => recorded.revision)).toEqual([1])
          yield* store.replayParked(group.name)
          const replayed = yield* consuming(group, 2, ack)
          expect(replayed.map(([revision]) => revision).toSorted()).toEqual([0, 1])
          const wanted = { parked: 0, inFlight: 0 }
          expect(yield* settled(group.name, wanted)).toMatchObject(wanted)
        }),
      ))

    test("gives what a silent consumer holds to another after the time agreed", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const group = groupOf(videoId, { messageTimeoutMillis: 300 })
          yield* fill(videoId, 1)
          const answer = (delivery: Delivery) =>
            delivery.retryCount === 0 ? Effect.void : delivery.ack
          expect(yield* consuming(group, 2, answer)).toEqual([
            [0, 0],
            [0, 1],
          ])
        }),
      ))

    test("gives what a consumer held when it left to the next", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const group = groupOf(videoId)
          yield* fill(videoId, 1)
          yield* consuming(group, 1, () => Effect.void)
          expect(yield* consuming(group, 1, ack)).toEqual([[0, 1]])
        }),
      ))

    test("knows no state of a group that does not exist", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          expect(yield* store.groupState(`nobody-${anyVideo()}`)).toBeUndefined()
          expect(yield* store.parkedOf(`nobody-${anyVideo()}`, 10)).toEqual([])
        }),
      ))
  })
}
