import { describe, expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { DomainEvent } from "#domain/events.ts"
import { transcodeStream, uploadStream, videoStream } from "#domain/ids.ts"
import { image, manifest, runPrefix, segment, sourcePart, temp } from "#domain/keys.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { completionGroup } from "./app.ts"
import {
  at,
  completed,
  created,
  exists,
  failed,
  happens,
  keys,
  of,
  put,
  quiet,
  runOver,
  say,
  settleDown,
  start,
  transcode,
  videoEvents,
  videoId,
} from "./testing.ts"

const takenDown: DomainEvent = {
  ...{ _tag: "VideoTakenDown", videoId, at, reason: "copyright", actor: "test" },
}
const playable: DomainEvent = { _tag: "TranscodePlayable", ...of }
const cancelled: DomainEvent = { _tag: "TranscodeCancelled", ...of }
const run = runOver(Layer.merge(memoryEventStore, memoryObjectStore))

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
