import { describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { image, segment, sourcePart, temp } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import {
  completed,
  created,
  exists,
  failed,
  happens,
  keys,
  put,
  quiet,
  runOver,
  settleDown,
  start,
  videoEvents,
  videoId,
} from "./testing.ts"

const run = runOver(Layer.merge(memoryEventStore, memoryObjectStore))

const source = sourcePart(videoId, 1)
const scratch = temp(videoId, 1, "index.json")
const media = segment(videoId, 1, "720p", 0)
const anew = { videoId, transcode: `${videoId}.2` }
const nextMedia = segment(videoId, 2, "720p", 0)

describe("what remains", () => {
  test("of a run whose place another has taken goes, once that is published", () =>
    run(
      Effect.gen(function* () {
        yield* put(source, media, image(videoId, 1, "1.jpg"))
        yield* start
        yield* exists(created)
        yield* happens(completed)
        yield* quiet
        yield* put(nextMedia, temp(videoId, 2, "index.json"))
        yield* happens({ _tag: "TranscodePlayable", ...anew })
        yield* quiet
        expect(yield* keys).toContain(media)
        yield* happens({ _tag: "TranscodeCompleted", ...anew })
        yield* quiet
        expect(yield* keys).toEqual([nextMedia, source])
        const published = ["VideoCreated", "VideoPublished", "VideoPublished"]
        expect<ReadonlyArray<string>>(yield* videoEvents).toEqual(published)
      }),
    ))

  test("of a run that came to nothing beside a published one goes alone", () =>
    run(
      Effect.gen(function* () {
        yield* put(source, media)
        yield* start
        yield* exists(created)
        yield* happens(completed)
        yield* quiet
        yield* put(nextMedia, temp(videoId, 2, "index.json"))
        yield* happens({ ...failed, ...anew })
        yield* quiet
        expect(yield* keys).toEqual([media, source])
        expect(yield* videoEvents).toEqual(["VideoCreated", "VideoPublished"])
      }),
    ))

  test("of the run before, confirmed late, leaves the next one at work", () =>
    run(
      Effect.gen(function* () {
        yield* start
        yield* exists(created)
        yield* happens(completed)
        yield* quiet
        const atWork = temp(videoId, 2, "index.json")
        yield* put(atWork, scratch)
        for (let minute = 0; minute < 2; minute++) {
          yield* settleDown
          yield* TestClock.adjust("1 minute")
        }
        yield* settleDown
        expect(yield* keys).toEqual([atWork])
      }),
    ))
})
