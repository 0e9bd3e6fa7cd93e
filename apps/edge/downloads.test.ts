import { describe, expect, test } from "bun:test"
import { Effect, Layer, Logger, type Scope } from "effect"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import type { EventStore } from "#infra/event-store/port.ts"
import { avc1, initOf, segmentOf } from "#infra/media/cmaf.ts"
import type { ObjectStore } from "#infra/object-store/port.ts"
import {
  created,
  encoded,
  inspected,
  playable,
  published,
  record,
  type Scenery,
  scenery,
  startEdge,
  takenDown,
  videoId,
} from "./testing.ts"

const url = `/v/${videoId}/clip_240p.mp4`
const PICTURE_BYTES = 5000
const segments = [0, 1, 2].map((k) =>
  segmentOf(
    k + 1,
    [{ pts: k * 90_000, isKey: true, data: Buffer.alloc(PICTURE_BYTES, k + 1) }],
    (k + 1) * 90_000,
    18_000,
  ),
)
const media = Buffer.concat(segments.map((_, k) => Buffer.alloc(PICTURE_BYTES, k + 1)))
const init = initOf({
  entry: avc1(426, 240, Buffer.from([1, 100, 0, 30])),
  timescale: 90_000,
  delay: 18_000,
  size: { width: 426, height: 240 },
})

const inside = (
  story: (scene: Scenery) => Effect.Effect<void, unknown, EventStore | ObjectStore | Scope.Scope>,
) => {
  const scene = scenery(memoryEventStore)
  const list = segments.map((_, k) => `#EXTINF:1.0,\n240p/${k}.m4s\n`).join("")
  scene.objects.set(`manifests/${videoId}/1/240p.m3u8`, new TextEncoder().encode(list))
  scene.objects.set(`segments/${videoId}/1/240p/init.mp4`, init)
  for (const [k, bytes] of segments.entries()) {
    scene.objects.set(`segments/${videoId}/1/240p/${k}.m4s`, bytes)
  }
  const surroundings = Layer.merge(scene.layer, Logger.layer([]))
  return Effect.runPromise(story(scene).pipe(Effect.scoped, Effect.provide(surroundings)))
}
const bytesOf = (answer: Response) =>
  Effect.promise(async () => Buffer.from(await answer.arrayBuffer()))

describe("a file to keep", () => {
  test("is the same, whether its segments lie on the disk or come from the store, whole or in parts", () =>
    inside((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        const whole = yield* bytesOf(yield* edge.ask(url))
        expect(whole.subarray(-media.length).equals(media)).toBe(true)
        const asked = scene.asked.length
        for (const k of [0, 2]) yield* edge.ask(`/v/${videoId}/240p/${k}.m4s`)
        const again = yield* edge.ask(url)
        expect((yield* bytesOf(again)).equals(whole)).toBe(true)
        // Two to the disk, one streamed; the table was made before.
        expect(scene.asked.length).toBe(asked + 3)
        const etag = again.headers.get("etag") ?? ""
        const known = yield* edge.ask(url, { headers: { "if-none-match": etag } })
        expect(known.status).toBe(304)
        const range = `bytes=${whole.length - 7001}-${whole.length - 2}`
        const part = yield* edge.ask(url, { headers: { range, "if-range": etag } })
        expect(part.status).toBe(206)
        expect((yield* bytesOf(part)).equals(whole.subarray(-7001, -1))).toBe(true)
      }),
    ))

  test("stops in the middle when its video is taken down, and does not look whole", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        const answer = yield* edge.ask(url)
        const reader = answer.body?.getReader()
        const first = yield* Effect.promise(async () => await reader?.read())
        expect(first?.done).toBe(false)
        yield* record(takenDown)
        yield* edge.askUntil(url, 451)
        const rest = yield* Effect.promise(async () => {
          for (let read = 0; read < 20; read++) {
            const more = await reader?.read().catch((cause: Error) => cause.message)
            if (typeof more === "string") return more
            if (more?.done) return "whole"
          }
          return "endless"
        })
        expect(rest).toBe("cut short")
      }),
    ))

  test("is not there before the video is whole", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, inspected, encoded(0), encoded(1), playable)
        const edge = yield* startEdge()
        expect((yield* edge.ask(url)).status).toBe(404)
      }),
    ))
})
