import { describe, expect, test } from "bun:test"
import { Effect, Layer, Logger, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { DomainEvent } from "#domain/events.ts"
import {
  AccountId,
  ChannelId,
  type StreamName,
  Timestamp,
  transcodeStream,
  uploadStream,
  VideoId,
  videoStream,
} from "#domain/ids.ts"
import { image, manifest, runPrefix, segment, sourcePart, temp } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { completion, completionGroup } from "./app.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const transcode = `${videoId}.1`
const of = { videoId, transcode }

const created: DomainEvent = {
  ...{ _tag: "VideoCreated", videoId, at, channelId: ChannelId.make("main") },
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
const takenDown: DomainEvent = {
  ...{ _tag: "VideoTakenDown", videoId, at, reason: "copyright", actor: "test" },
}
const playable: DomainEvent = { _tag: "TranscodePlayable", ...of }
const completed: DomainEvent = { _tag: "TranscodeCompleted", ...of }
const failed: DomainEvent = { _tag: "TranscodeFailed", ...of, code: "source_corrupt" }
const cancelled: DomainEvent = { _tag: "TranscodeCancelled", ...of }

type Surroundings = EventStore | ObjectStore | Scope.Scope

const run = <A, E>(effect: Effect.Effect<A, E, Surroundings>) =>
  Effect.runPromise(
    effect.pipe(
      Effect.scoped,
      Effect.provide(
        Layer.mergeAll(memoryEventStore, memoryObjectStore, Logger.layer([]), TestClock.layer()),
      ),
    ),
  )

let said = 0
const say = Effect.fnUntraced(function* (stream: StreamName, event: DomainEvent) {
  const store = yield* EventStore
  const told = yield* envelope(stream, event, { cause: `said ${++said}`, actor: "test" })
  yield* store.append(stream, "any", [told])
})
const happens = (event: DomainEvent) => say(transcodeStream(videoId), event)
const exists = (event: DomainEvent) => say(videoStream(videoId), event)
const put = (...keys: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const objects = yield* ObjectStore
    yield* Effect.forEach(keys, (key) => objects.put(key, new Uint8Array(1)))
  })
const keys = Effect.gen(function* () {
  const objects = yield* ObjectStore
  const found = yield* Stream.runCollect(objects.list(""))
  return found.map(({ key }) => key).filter((key) => !key.startsWith("checkpoints/"))
})

const settleDown = Effect.repeat(Effect.yieldNow, { times: 300 })
/** Until nothing waits in the group any more, second by second. */
const quiet = Effect.gen(function* () {
  const store = yield* EventStore
  for (let second = 0; second < 300; second++) {
    yield* settleDown
    const state = yield* store.groupState(completionGroup.name)
    if (state && state.backlog + state.inFlight === 0) return state
    yield* TestClock.adjust("1 second")
  }
  return yield* Effect.die(new Error("the group never came to rest"))
})
const start = Effect.forkScoped(completion)

const videoEvents = Effect.gen(function* () {
  const store = yield* EventStore
  const history = yield* store.read(videoStream(videoId))
  return history.map(({ event }) => event._tag)
})

describe("a milestone", () => {
  test("becomes an event of the video, at the milestone's own time", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        yield* start
        yield* exists(created)
        yield* happens(playable)
        yield* quiet
        yield* happens(completed)
        yield* quiet
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPlayable", "VideoPublished"])
        const [milestone] = yield* store.read(transcodeStream(videoId))
        const [, told] = yield* store.read(videoStream(videoId))
        expect(told?.event).toMatchObject({ transcode, at: milestone?.recordedAt ?? 0 })
        expect(told?.metadata.$causationId).toBe(milestone?.id ?? "")
      }),
    ))

  test("told twice or out of order is told once, and moves the video only forward", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* exists(created)
        for (const event of [completed, playable, completed, playable]) {
          yield* happens(event)
          yield* quiet
        }
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished"])
      }),
    ))

  test("with two handlers is told once", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* start
        yield* exists(created)
        yield* happens(playable)
        yield* happens(failed)
        yield* quiet
        const events = yield* videoEvents
        expect(events.filter((tag) => tag === "VideoFailed")).toHaveLength(1)
      }),
    ))

  test("of a video that is down is let go", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* exists(created)
        yield* exists(takenDown)
        yield* happens(playable)
        expect((yield* quiet).parked).toBe(0)
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoTakenDown"])
      }),
    ))

  test("of a video that nobody knows is parked after ten more tries", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* happens(playable)
        expect((yield* quiet).parked).toBe(1)
        const store = yield* EventStore
        const parked = yield* store.parkedOf(completionGroup.name, 10)
        expect(parked).toMatchObject([{ recorded: { event: playable }, tries: 11 }])
      }),
    ))

  test("of an upload that expired fails the video", () =>
    run(
      Effect.gen(function* () {
        yield* put(sourcePart(videoId, 1))
        yield* start
        yield* exists(created)
        yield* say(uploadStream(videoId), { _tag: "UploadExpired", videoId, at })
        yield* quiet
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoFailed"])
        expect(yield* keys).toEqual([])
      }),
    ))
})

describe("what remains", () => {
  const source = sourcePart(videoId, 1)
  const scratch = temp(videoId, 1, "index.json")
  const media = segment(videoId, 1, "720p", 0)

  test("of a transcode that ended is deleted; source and media stay", () =>
    run(
      Effect.gen(function* () {
        yield* put(source, scratch, media)
        yield* start
        yield* exists(created)
        yield* happens(completed)
        yield* quiet
        expect(yield* keys).toEqual([media, source])
      }),
    ))

  test("of a complete transcode that goes on is deleted when that ends", () =>
    run(
      Effect.gen(function* () {
        yield* put(source, scratch, media)
        yield* start
        yield* exists(created)
        yield* happens({ _tag: "TranscodeCompleted", ...of, goesOn: true })
        yield* quiet
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished"])
        expect(yield* keys).toEqual([media, source, scratch])
        yield* happens({ _tag: "TranscodeExtended", ...of })
        yield* quiet
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished"])
        expect(yield* keys).toEqual([media, source])
      }),
    ))

  test("of a transcode that made more renditions is told to the video", () =>
    run(
      Effect.gen(function* () {
        yield* put(manifest(videoId, 1, EXTENDED.hls))
        yield* start
        yield* exists(created)
        yield* happens({ _tag: "TranscodeCompleted", ...of, goesOn: true })
        yield* quiet
        for (let times = 0; times < 2; times++) {
          yield* happens({ _tag: "TranscodeExtended", ...of })
          yield* quiet
        }
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished", "VideoExtended"])
      }),
    ))

  test("of a cancelled run is all it made; the source and the next run stay", () =>
    run(
      Effect.gen(function* () {
        const next = [temp(videoId, 2, "index.json"), segment(videoId, 2, "720p", 0)]
        yield* put(source, scratch, media, image(videoId, 1, "1.jpg"), ...next)
        yield* start
        yield* exists(created)
        yield* happens(cancelled)
        yield* quiet
        expect(yield* keys).toEqual([...next, source].toSorted())
        expect(runPrefix(videoId, 1)).toBe(`segments/${videoId}/1/`)
      }),
    ))

  test("and was written after the end is deleted a minute later", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* exists(created)
        yield* happens(completed)
        yield* quiet
        yield* put(scratch)
        for (let minute = 0; minute < 2; minute++) {
          yield* settleDown
          yield* TestClock.adjust("1 minute")
        }
        yield* settleDown
        expect(yield* keys).toEqual([])
      }),
    ))
})

test("a milestone that the group skipped is settled by the reader behind it", () =>
  run(
    Effect.gen(function* () {
      const store = yield* EventStore
      yield* exists(created)
      yield* happens(completed)
      // Somebody else's consumer takes it and says that it was handled.
      yield* store.consume(completionGroup, 1).pipe(
        Stream.take(1),
        Stream.runForEach(({ ack }) => ack),
      )
      yield* start
      yield* quiet
      expect(yield* videoEvents).toEqual(["VideoCreated"])
      for (let minute = 0; minute < 2; minute++) {
        yield* settleDown
        yield* TestClock.adjust("1 minute")
      }
      yield* settleDown
      expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished"])
      const objects = yield* ObjectStore
      expect((yield* objects.head("checkpoints/completion.json")).byteLength).toBeGreaterThan(10)
    }),
  ))
