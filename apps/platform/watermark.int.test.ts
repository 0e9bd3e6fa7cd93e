/** A channel's watermark, from its text to the pictures and away again: API, scheduler, worker, completion and ffmpeg in one process, over stores in memory. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Result, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { Cell, transcodeStream, type VideoId } from "#domain/ids.ts"
import { runPrefix, sourcePart, transcodeId } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { openOwnersChannel } from "../api/background.ts"
import { type Asking, insideOver } from "../api/testing.ts"
import { completion } from "../completion/app.ts"
import { scheduler } from "../scheduler/app.ts"
import { defaultPlan } from "../scheduler/default-pipeline.ts"
import { worker } from "../worker/app.ts"
import { clipOf } from "../worker/testing.ts"

const directory = mkdtempSync(join(tmpdir(), "reelog-watermark-"))
const clip = join(directory, "clip.mp4")
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeAll(() => clipOf(clip, "640x360", 5), 60_000)

const inside = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

const platform = Effect.gen(function* () {
  yield* openOwnersChannel
  const cell = Cell.make("loc")
  yield* Effect.forkScoped(scheduler({ cell, rank: 0 }, yield* defaultPlan))
  const settings = { cell, kinds: ["light", "encode"], slots: { light: 4, encode: 2 } }
  const scratch = { directory: join(directory, "scratch"), quotaBytes: 2 ** 30 }
  yield* worker({ ...settings, patienceSeconds: 20 }, scratch).pipe(
    Effect.provide(ffmpegMediaTools),
    Effect.forkScoped,
  )
  yield* Effect.forkScoped(completion)
})

const told = Effect.fnUntraced(function* (isIt: (event: DomainEvent) => boolean) {
  const store = yield* EventStore
  yield* store.follow({}).pipe(
    Stream.filterMap((news) => {
      const event = news._tag === "Event" ? news.recorded.event : undefined
      if (event?._tag === "TranscodeFailed") throw new Error(event.code)
      return event !== undefined && event._tag !== "Unreadable" && isIt(event)
        ? Result.succeed(event)
        : Result.fail(news)
    }),
    Stream.take(1),
    Stream.runDrain,
  )
})
const published = (transcode: string) =>
  told((event) => event._tag === "VideoPublished" && event.transcode === transcode)

const uploaded = Effect.fnUntraced(function* ({ ask, create }: Asking) {
  const bytes = yield* Effect.promise(() => Bun.file(clip).bytes())
  const videoId = yield* create({ byteLength: bytes.length })
  yield* (yield* ObjectStore).put(sourcePart(videoId, 1), bytes)
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const parts = [{ number: 1, etag: "*", sha256 }]
  expect((yield* ask("owner", `/v1/videos/${videoId}/parts`, "POST", { parts })).status).toBe(200)
  expect((yield* ask("owner", `/v1/videos/${videoId}/complete`, "POST")).status).toBe(200)
  return videoId
})

/** By step: what its tasks told in a run. */
const outputsOf = Effect.fnUntraced(function* (videoId: VideoId, run: number) {
  const store = yield* EventStore
  const history = yield* store.read(transcodeStream(videoId))
  return history.flatMap(({ event }) => {
    if (event._tag !== "TaskSucceeded") return []
    const [transcode, step = ""] = event.taskId.split("/")
    const type = step.split(":")[0] ?? ""
    return transcode === transcodeId(videoId, run) ? [{ type, outputs: event.outputs }] : []
  })
})
const waysOf = (tasks: Effect.Success<ReturnType<typeof outputsOf>>, type: string) =>
  tasks
    .filter((task) => task.type === type)
    .map(({ outputs: { work } }) =>
      typeof work === "object" && work !== null && "way" in work ? work.way : undefined,
    )

const keysUnder = Effect.fnUntraced(function* (prefix: string) {
  const objects = yield* ObjectStore
  const found = yield* Stream.runCollect(objects.list(prefix))
  return found.map(({ key }) => key)
})

test(
  "a watermark is in the videos made after it; switched off, only their pictures are encoded anew",
  () =>
    inside((asking) =>
      Effect.gen(function* () {
        const { ask } = asking
        yield* platform
        const path = "/v1/channels/main/watermark"
        expect((yield* ask("owner", path, "PUT", { text: "김민수" })).status).toBe(202)
        yield* told(({ _tag }) => _tag === "WatermarkMade")

        const videoId = yield* uploaded(asking)
        yield* published(transcodeId(videoId, 1))
        const first = yield* outputsOf(videoId, 1)
        const inspected = first.find(({ type }) => type === "inspect")?.outputs
        expect(inspected?.copyRefused).toContain("watermark")
        expect(JSON.stringify(inspected?.rungs)).not.toContain("source")

        expect((yield* ask("owner", path, "DELETE")).status).toBe(200)
        const again = `/v1/videos/${videoId}/renditions`
        expect((yield* ask("owner", again, "POST")).status).toBe(202)
        yield* published(transcodeId(videoId, 2))
        const second = yield* outputsOf(videoId, 2)
        for (const type of ["encode-audio", "thumbnails", "storyboard"]) {
          expect([type, ...waysOf(second, type)]).toEqual([type, "reused"])
        }
        const encoded = waysOf(second, "encode-video")
        expect(encoded.length).toBeGreaterThan(0)
        expect(encoded).not.toContain("reused")

        const earlier = keysUnder(runPrefix(videoId, 1))
        const isGone = Effect.map(earlier, ({ length }) => length === 0)
        yield* Effect.repeat(Effect.andThen(Effect.sleep("20 millis"), isGone), {
          until: (gone) => gone,
        })
        expect(yield* keysUnder(runPrefix(videoId, 2))).not.toEqual([])
        expect(yield* keysUnder(`temp/${videoId}/`)).toEqual([])

        // Once more: the sound outlives the run it was made in.
        expect((yield* ask("owner", again, "POST")).status).toBe(202)
        yield* published(transcodeId(videoId, 3))
        const third = yield* outputsOf(videoId, 3)
        for (const type of ["encode-audio", "thumbnails", "encode-video"]) {
          expect(new Set(waysOf(third, type))).toEqual(new Set(["reused"]))
        }
      }),
    ),
  120_000,
)
