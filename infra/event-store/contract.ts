/** What every event store must do. Each adapter's test runs this contract against its own layer. */
import { describe, expect, test } from "bun:test"
import { Deferred, Effect, Fiber, type Layer, Stream } from "effect"
import { isAfter, type StreamName, takedownStream } from "#domain/ids.ts"
import { anyVideo, fill, lifted, ordered, runWith, someEvents } from "./contract-events.ts"
import { groupContract } from "./contract-groups.ts"
import { envelope } from "./execute.ts"
import { EventStore, type NewEvent, type News } from "./port.ts"

const summary = (news: News) => (news._tag === "Event" ? news.recorded.revision : news._tag)
const isNoCheckpoint = ({ _tag }: News) => _tag !== "Checkpoint"

const appendOne = (stream: StreamName, expected: number | "none" | "any", event: NewEvent) =>
  EventStore.use((store) => store.append(stream, expected, [event]))

const following = (stream: string, after: string | "end" | undefined, count: number) =>
  EventStore.use((store) =>
    store
      .follow({ ...(after !== undefined && { after }), filter: { streams: [stream] } })
      .pipe(Stream.filter(isNoCheckpoint), Stream.take(count), Stream.runCollect),
  )

export const eventStoreContract = (name: string, layer: Layer.Layer<EventStore, unknown>) => {
  const run = runWith(layer)

  describe(`${name} event store, appending`, () => {
    test("records the events of one append side by side, with all that was said of them", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const events = yield* someEvents(videoId, 2)
          const appended = yield* store.append(stream, "none", events)
          const recorded = yield* store.read(stream)
          expect(appended.revision).toBe(1)
          expect(recorded.map(({ id, revision }) => [id, revision])).toEqual(
            events.map(({ id }, index) => [id, index]),
          )
          expect(recorded[1]).toMatchObject({
            stream,
            position: appended.position,
            event: lifted(videoId),
            metadata: { actor: "test", version: 1 },
          })
          expect(Math.abs(Date.now() - (recorded[1]?.recordedAt ?? 0))).toBeLessThan(60_000)
          expect(yield* store.end).toBe(appended.position)
        }),
      ))

    test("refuses an append made on another revision, and tells the one it found", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const [first, second, third] = yield* someEvents(videoId, 3)
          if (!first || !second || !third) throw new Error("three events")
          const early = yield* Effect.flip(appendOne(stream, 4, first))
          expect(early).toMatchObject({ _tag: "RevisionConflict", stream, expected: 4, actual: -1 })
          yield* appendOne(stream, "none", first)
          yield* appendOne(stream, 0, second)
          const late = yield* Effect.flip(appendOne(stream, 0, third))
          expect(late).toMatchObject({ _tag: "RevisionConflict", expected: 0, actual: 1 })
          const again = yield* Effect.flip(appendOne(stream, "none", third))
          expect(again).toMatchObject({ _tag: "RevisionConflict", expected: "none", actual: 1 })
        }),
      ))

    test("answers a repeated append as it did the first time, and records nothing twice", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const [first, ...rest] = yield* someEvents(videoId, 3)
          if (!first) throw new Error("three events")
          const one = yield* store.append(stream, "none", [first])
          const three = yield* store.append(stream, 0, rest)
          expect(yield* store.append(stream, "none", [first])).toEqual(one)
          expect(yield* store.append(stream, 0, rest)).toEqual(three)
          expect((yield* store.append(stream, "any", rest)).revision).toBe(2)
          expect(yield* store.read(stream)).toHaveLength(3)
        }),
      ))

    test("takes an append that overlaps an earlier one only in part for a conflict", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const [first, second, third] = yield* someEvents(videoId, 3)
          if (!first || !second || !third) throw new Error("three events")
          yield* store.append(stream, "none", [first, second])
          const overlap = yield* Effect.flip(store.append(stream, "none", [first, third]))
          expect(overlap._tag).toBe("RevisionConflict")
          expect(yield* store.read(stream)).toHaveLength(2)
        }),
      ))

    test("lets one of many rivals win each revision, and loses no append to any revision", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const events = yield* someEvents(videoId, 64)
          const outcomes = yield* Effect.forEach(
            events,
            (event) => Effect.exit(store.append(stream, "none", [event])),
            { concurrency: "unbounded" },
          )
          expect(outcomes.filter(({ _tag }) => _tag === "Success")).toHaveLength(1)
          const others = yield* someEvents(videoId, 64)
          yield* Effect.forEach(others, (event) => store.append(stream, "any", [event]), {
            concurrency: "unbounded",
          })
          const recorded = yield* store.read(stream)
          expect(recorded.map(({ revision }) => revision)).toEqual([...Array(65).keys()])
          expect(new Set(recorded.map(({ id }) => id)).size).toBe(65)
        }),
      ))
  })

  describe(`${name} event store, reading`, () => {
    test("finds a stream that does not exist empty", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          expect(yield* store.read(takedownStream(anyVideo()))).toEqual([])
        }),
      ))

    test("reads a part of a stream, forwards and backwards", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          yield* fill(videoId, 5)
          const revisions = (options: Parameters<typeof store.read>[1]) =>
            Effect.map(store.read(takedownStream(videoId), options), (recorded) =>
              recorded.map(({ revision }) => revision),
            )
          expect(yield* revisions({ from: 3 })).toEqual([3, 4])
          expect(yield* revisions({ from: 1, maxCount: 2 })).toEqual([1, 2])
          expect(yield* revisions({ backwards: true, maxCount: 2 })).toEqual([4, 3])
          expect(yield* revisions({ backwards: true, from: 1 })).toEqual([1, 0])
          expect(yield* revisions({ from: 9 })).toEqual([])
        }),
      ))

    test("reads the log after a position, by stream and by type", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const [videoId, other] = [anyVideo(), anyVideo()]
          const before = yield* store.end
          const first = yield* fill(videoId, 1)
          yield* fill(other, 2)
          const order = yield* envelope(takedownStream(videoId), ordered(videoId), {
            cause: crypto.randomUUID(),
            actor: "test",
          })
          yield* store.append(takedownStream(videoId), "any", [order])
          const all = (options: Parameters<typeof store.readAll>[0]) =>
            store.readAll(options).pipe(
              Stream.map(({ stream, revision }) => `${stream} ${revision}`),
              Stream.runCollect,
            )
          const [own, others] = [takedownStream(videoId), takedownStream(other)]
          expect(yield* all({ after: before })).toEqual([
            `${own} 0`,
            `${others} 0`,
            `${others} 1`,
            `${own} 1`,
          ])
          expect(yield* all({ after: first.position, filter: { streams: [own] } })).toEqual([
            `${own} 1`,
          ])
          expect(yield* all({ after: before, filter: { types: ["TakedownOrdered"] } })).toEqual([
            `${own} 1`,
          ])
        }),
      ))

    test("hides what a stream's limits have overtaken, but not from the log's order", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          yield* fill(videoId, 5)
          yield* store.limit(stream, { maxCount: 2 })
          const shown = yield* store.read(stream)
          expect(shown.map(({ revision }) => revision)).toEqual([3, 4])
          yield* store.limit(stream, { maxAgeSeconds: 1 })
          yield* Effect.sleep("1100 millis")
          expect(yield* store.read(stream)).toEqual([])
          expect(yield* fill(videoId, 1)).toMatchObject({ revision: 5 })
        }),
      ))
  })

  describe(`${name} event store, following`, () => {
    test("delivers what was recorded, says so, and goes on with what is recorded next", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          yield* fill(videoId, 2)
          const store = yield* EventStore
          const caughtUp = yield* Deferred.make<void>()
          const followed = yield* store
            .follow({ filter: { streams: [takedownStream(videoId)] } })
            .pipe(
              Stream.filter(isNoCheckpoint),
              Stream.tap(({ _tag }) =>
                _tag === "CaughtUp" ? Deferred.succeed(caughtUp, undefined) : Effect.void,
              ),
              Stream.take(5),
              Stream.runCollect,
              Effect.forkChild,
            )
          yield* Deferred.await(caughtUp)
          yield* fill(anyVideo(), 3)
          yield* fill(videoId, 2)
          const news = yield* Fiber.join(followed)
          expect(news.map(summary)).toEqual([0, 1, "CaughtUp", 2, 3])
        }),
      ))

    test("begins after a position, or at the end", () =>
      run(
        Effect.gen(function* () {
          const videoId = anyVideo()
          const stream = takedownStream(videoId)
          const { position } = yield* fill(videoId, 1)
          yield* fill(videoId, 1)
          expect((yield* following(stream, position, 2)).map(summary)).toEqual([1, "CaughtUp"])
          expect((yield* following(stream, "end", 1)).map(summary)).toEqual(["CaughtUp"])
        }),
      ))

    test("tells how far the log was read when nothing in it was wanted", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const after = yield* store.end
          const wanted = { streams: [takedownStream(anyVideo())] }
          const told = yield* store.follow({ after, filter: wanted }).pipe(
            Stream.filter(({ _tag }) => _tag === "Checkpoint"),
            Stream.take(1),
            Stream.runCollect,
            Effect.forkChild,
          )
          yield* fill(anyVideo(), 40)
          const [checkpoint] = yield* Fiber.join(told)
          expect(checkpoint?._tag === "Checkpoint" && isAfter(checkpoint.position, after)).toBe(
            true,
          )
        }),
      ))

    test("follows one stream from a revision on", () =>
      run(
        Effect.gen(function* () {
          const store = yield* EventStore
          const videoId = anyVideo()
          yield* fill(videoId, 3)
          const followed = yield* store
            .followStream(takedownStream(videoId), 2)
            .pipe(Stream.take(3), Stream.runCollect, Effect.forkChild)
          yield* fill(videoId, 2)
          const recorded = yield* Fiber.join(followed)
          expect(recorded.map(({ revision }) => revision)).toEqual([2, 3, 4])
        }),
      ))
  })

  groupContract(name, run)
}
