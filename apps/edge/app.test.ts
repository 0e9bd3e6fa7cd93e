import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, Layer, Logger, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import type { EventStore } from "#infra/event-store/port.ts"
import type { ObjectStore } from "#infra/object-store/port.ts"
import {
  created,
  encoded,
  inspected,
  playable,
  published,
  record,
  reinstated,
  type Scenery,
  scenery,
  startEdge,
  takenDown,
  videoId,
} from "./testing.ts"

const bytes = new TextEncoder().encode("0123456789")
const v = `/v/${videoId}`
const bodyOf = (response: Response) => Effect.promise(() => response.text())
const codeOf = (response: Response) =>
  Effect.promise(async () => ((await response.json()) as { readonly code: string }).code)

const inside = (
  story: (scene: Scenery) => Effect.Effect<void, unknown, EventStore | ObjectStore | Scope.Scope>,
) => {
  const scene = scenery(memoryEventStore)
  scene.objects.set(`segments/${videoId}/1/240p/0.m4s`, bytes)
  scene.objects.set(`segments/${videoId}/1/240p/1.m4s`, bytes)
  scene.objects.set(`segments/${videoId}/1/240p/2.m4s`, bytes)
  scene.objects.set(`segments/${videoId}/1/240p/init.mp4`, bytes)
  scene.objects.set(`manifests/${videoId}/1/main.m3u8`, new TextEncoder().encode("#EXTM3U\n"))
  scene.objects.set(`images/${videoId}/1/thumbnail-1.jpg`, bytes)
  // What it says about a broken disk is right, and not for the reader of this run.
  const surroundings = Layer.merge(scene.layer, Logger.layer([]))
  return Effect.runPromise(story(scene).pipe(Effect.scoped, Effect.provide(surroundings)))
}

/** Time passes when the story says so. */
const onTestTime = (story: Parameters<typeof inside>[0]) =>
  inside((scene) => Effect.provide(story(scene), TestClock.layer()))

describe("a video that grows", () => {
  test("shows its lists and segments as far as the log has them, and more when it has more", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, inspected, encoded(0), encoded(1), playable)
        const edge = yield* startEdge()
        const main = yield* edge.ask(`${v}/main.m3u8`)
        expect(main.status).toBe(200)
        expect(main.headers.get("content-type")).toBe("application/vnd.apple.mpegurl")
        expect(main.headers.get("cache-control")).toBe("no-cache")
        expect(yield* bodyOf(main)).toContain("240p.m3u8")
        const list = yield* bodyOf(yield* edge.ask(`${v}/240p.m3u8`))
        expect(list).toContain("240p/1.m4s")
        expect(list).not.toContain("#EXT-X-ENDLIST")
        const dash = yield* edge.ask(`${v}/manifest.mpd`)
        expect(dash.headers.get("content-type")).toBe("application/dash+xml")
        const text = yield* bodyOf(dash)
        expect(text).toContain('type="dynamic"')
        expect(text).toContain('<S t="0" d="180000" r="1"/>')
        expect((yield* edge.ask(`${v}/240p/1.m4s`)).status).toBe(200)
        expect((yield* edge.ask(`${v}/240p/2.m4s`)).status).toBe(404)
        expect((yield* edge.ask(`${v}/480p.m3u8`)).status).toBe(404)

        yield* record(encoded(2))
        yield* edge.askUntil(`${v}/240p/2.m4s`, 200)
      }),
    ))

  test("is not there before the log says that it is playable", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, inspected, encoded(0), encoded(1))
        const edge = yield* startEdge()
        const early = yield* edge.ask(`${v}/240p/0.m4s`)
        expect(early.status).toBe(404)
        expect(yield* codeOf(early)).toBe("video_not_ready")
        yield* record(playable)
        yield* edge.askUntil(`${v}/240p/0.m4s`, 200)
      }),
    ))
})

describe("a published video", () => {
  test("comes from the object store once, and then from the disk, also while the stores are away", () =>
    inside((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        yield* edge.ask(`${v}/main.m3u8`)
        const asks = Array.from({ length: 8 }, () => edge.ask(`${v}/240p/0.m4s`))
        const answers = yield* Effect.all(asks, { concurrency: "unbounded" })
        for (const answer of answers) expect(yield* bodyOf(answer)).toBe("0123456789")
        expect(scene.asked.filter((key) => key.endsWith("0.m4s"))).toHaveLength(1)
        expect(answers[0]?.headers.get("content-type")).toBe("video/mp4")

        scene.weather.objectStoreAway = true
        scene.weather.eventStoreAway = true
        expect((yield* edge.ask(`${v}/240p/0.m4s`)).status).toBe(200)
        const uncached = yield* edge.ask(`${v}/240p/1.m4s`)
        expect(uncached.status).toBe(503)
        expect(uncached.headers.get("retry-after")).toBe("1")
        const unheld = yield* edge.ask("/v/loczzzzzzzzzzzzzzzz/main.m3u8")
        expect(unheld.status).toBe(503)
        expect(yield* codeOf(unheld)).toBe("event_store_unavailable")
      }),
    ))

  test("is read from the log once, however many ask at once", () =>
    inside((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        const asks = Array.from({ length: 20 }, () => edge.ask(`${v}/main.m3u8`))
        yield* Effect.all(asks, { concurrency: "unbounded" })
        expect(scene.weather.reads).toBe(1)
      }),
    ))

  test("has images of the right type", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        const image = yield* edge.ask(`${v}/images/thumbnail-1.jpg`)
        expect(image.headers.get("content-type")).toBe("image/jpeg")
      }),
    ))
})

describe("a takedown", () => {
  const urls = ["main.m3u8", "240p/0.m4s", "240p/init.mp4", "images/thumbnail-1.jpg"]

  test("closes every door at once, of what is cached too, and a reinstatement opens them", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        for (const url of urls) {
          expect((yield* edge.ask(`${v}/${url}`)).status).toBe(200)
        }
        yield* record(takenDown)
        const closed = yield* edge.askUntil(`${v}/main.m3u8`, 451)
        expect(closed.headers.get("content-type")).toBe("application/problem+json")
        expect(closed.headers.get("cache-control")).toBe("no-store")
        expect(yield* codeOf(closed)).toBe("video_taken_down")
        for (const url of urls) {
          expect((yield* edge.ask(`${v}/${url}`)).status).toBe(451)
        }
        yield* record(reinstated)
        yield* edge.askUntil(`${v}/240p/0.m4s`, 200)
      }),
    ))

  test("closes the doors in time while the subscription alone is cut, also of what was private or absent", () =>
    onTestTime((scene) =>
      Effect.gen(function* () {
        const edge = yield* startEdge()
        expect((yield* edge.ask(`${v}/main.m3u8`)).status).toBe(404)
        scene.weather.isSubscriptionCut = true
        yield* record(created, published)
        yield* TestClock.adjust("2 seconds")
        expect((yield* edge.ask(`${v}/240p/0.m4s`)).status).toBe(200)
        for (const [event, status] of [
          [takenDown, 451],
          [reinstated, 200],
          [takenDown, 451],
        ] as const) {
          yield* record(event)
          yield* TestClock.adjust("2 seconds")
          expect((yield* edge.ask(`${v}/240p/0.m4s`)).status).toBe(status)
        }
      }),
    ))

  test("is looked for while somebody watches, without making anyone wait", () =>
    onTestTime((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        yield* edge.ask(`${v}/240p/0.m4s`)
        scene.weather.isSubscriptionCut = true
        yield* record(takenDown)
        yield* TestClock.adjust("1 second")
        const atOnce = edge.fetch(new Request(`http://edge${v}/240p/0.m4s`))
        expect(atOnce).toBeInstanceOf(Response)
        yield* edge.askUntil(`${v}/240p/0.m4s`, 451).pipe(TestClock.withLive)
      }),
    ))

  test("can't be heard of while the log is away: then what is held goes on, and is closed when it is back", () =>
    onTestTime((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        yield* edge.ask(`${v}/240p/0.m4s`)
        scene.weather.eventStoreAway = true
        for (const seconds of [2, 10, 3600]) {
          yield* TestClock.adjust(`${seconds} seconds`)
          const asked = yield* Effect.forkChild(edge.ask(`${v}/240p/0.m4s`))
          yield* TestClock.adjust("1 second")
          expect((yield* Fiber.join(asked)).status).toBe(200)
        }
        yield* record(takenDown)
        scene.weather.eventStoreAway = false
        yield* TestClock.adjust("2 seconds")
        expect((yield* edge.ask(`${v}/240p/0.m4s`)).status).toBe(451)
      }),
    ))

  test("that a viewer's cache asks about is told instead of 304", () =>
    inside(() =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge()
        const etag = (yield* edge.ask(`${v}/main.m3u8`)).headers.get("etag") ?? ""
        const init = { headers: { "if-none-match": etag } }
        expect((yield* edge.ask(`${v}/main.m3u8`, init)).status).toBe(304)
        yield* record(takenDown)
        yield* edge.askUntil(`${v}/main.m3u8`, 451)
        expect((yield* edge.ask(`${v}/main.m3u8`, init)).status).toBe(451)
      }),
    ))
})

describe("memory and disk", () => {
  test("hold no more videos than they may", () =>
    inside((scene) =>
      Effect.gen(function* () {
        const edge = yield* startEdge({ maxHeldVideos: 3 })
        const ids = ["aa", "bb", "cc", "dd"].map((end) => `loc01234567890000${end}`)
        for (const id of ids) yield* edge.ask(`/v/${id}/main.m3u8`)
        const readsOfFour = scene.weather.reads
        yield* edge.ask(`/v/${ids[3]}/main.m3u8`)
        expect(scene.weather.reads).toBe(readsOfFour)
        yield* edge.ask(`/v/${ids[0]}/main.m3u8`)
        expect(scene.weather.reads).toBeGreaterThan(readsOfFour)
      }),
    ))

  test("hold no more bytes than they may, and the least recently used goes first", () =>
    inside((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const edge = yield* startEdge({ cacheBytes: 20 })
        for (const k of [0, 1, 0, 2]) yield* edge.ask(`${v}/240p/${k}.m4s`)
        const before = scene.asked.length
        yield* edge.ask(`${v}/240p/0.m4s`)
        expect(scene.asked.length).toBe(before)
        yield* edge.ask(`${v}/240p/1.m4s`)
        expect(scene.asked.length).toBe(before + 1)
      }),
    ))

  test("are done without when the disk can't be written", () =>
    inside((scene) =>
      Effect.gen(function* () {
        yield* record(created, published)
        const cacheDirectory = mkdtempSync(join(tmpdir(), "edge-test-"))
        const edge = yield* startEdge({ cacheDirectory })
        rmSync(cacheDirectory, { recursive: true })
        for (const times of [1, 2]) {
          expect(yield* bodyOf(yield* edge.ask(`${v}/240p/0.m4s`))).toBe("0123456789")
          expect(scene.asked.filter((key) => key.endsWith("0.m4s"))).toHaveLength(times)
        }
      }),
    ))
})
