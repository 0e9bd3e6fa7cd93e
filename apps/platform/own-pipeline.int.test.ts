/** A channel's own pipeline, from its text to the pictures: API, scheduler, worker and ffmpeg in one process, over stores in memory. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Result, type Scope, Stream } from "effect"
import { parse } from "yaml"
import type { DomainEvent } from "#domain/events.ts"
import {
  AccountId,
  Cell,
  ChannelId,
  Timestamp,
  transcodeStream,
  uploadStream,
  VideoId,
  videoStream,
} from "#domain/ids.ts"
import { manifest, sourcePart } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { openOwnersChannel } from "../api/background.ts"
import type { ApiServices } from "../api/services.ts"
import { type Asking, insideOver } from "../api/testing.ts"
import { scheduler } from "../scheduler/app.ts"
import { defaultPlan } from "../scheduler/default-pipeline.ts"
import { worker } from "../worker/app.ts"
import { clipOf, program } from "../worker/testing.ts"

const directory = mkdtempSync(join(tmpdir(), "reelog-pipelines-"))
const clip = join(directory, "clip.mp4")
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeAll(() => clipOf(clip, "320x180", 5), 60_000)

const over = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

/** A scheduler in office and a worker, for as long as the story. */
const platform = Effect.fnUntraced(function* (kinds: ReadonlyArray<string>) {
  yield* openOwnersChannel
  const cell = Cell.make("loc")
  yield* Effect.forkScoped(scheduler({ cell, rank: 0 }, yield* defaultPlan))
  const settings = { cell, kinds, slots: { light: 4, encode: 2 } }
  const scratch = { directory: join(directory, "scratch"), quotaBytes: 2 ** 30 }
  yield* worker({ ...settings, patienceSeconds: 20 }, scratch).pipe(
    Effect.provide(ffmpegMediaTools),
    Effect.forkScoped,
  )
})
const inside = <E>(
  story: (asking: Asking) => Effect.Effect<void, E, ApiServices | Scope.Scope>,
  kinds: ReadonlyArray<string> = ["light", "encode"],
) => over((asking) => Effect.andThen(platform(kinds), story(asking)))

const pipelinePath = "/v1/channels/main/pipeline"
const choose = ({ fetch }: Asking, text: string) =>
  Effect.promise(async () => {
    const headers = { "content-type": "application/yaml" }
    const answered = await fetch("owner", pipelinePath, { method: "PUT", body: text, headers })
    return { status: answered.status, text: await answered.text() }
  })

// Two channels: the owner's, whose videos come through the API, and another one's

const source = () => Effect.promise(() => Bun.file(clip).bytes())

const uploadAsOwner = Effect.fnUntraced(function* ({ ask, create }: Asking) {
  const bytes = yield* source()
  const videoId = yield* create({ byteLength: bytes.length })
  yield* (yield* ObjectStore).put(sourcePart(videoId, 1), bytes)
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const parts = [{ number: 1, etag: "*", sha256 }]
  expect((yield* ask("owner", `/v1/videos/${videoId}/parts`, "POST", { parts })).status).toBe(200)
  expect((yield* ask("owner", `/v1/videos/${videoId}/complete`, "POST")).status).toBe(200)
  return videoId
})

const uploadElsewhere = Effect.fnUntraced(function* ({ say }: Asking) {
  const bytes = yield* source()
  const videoId = VideoId.make("loc000000000000e15e")
  const [channelId, at] = [ChannelId.make("elsewhere"), Timestamp.make(1_700_000_000_000)]
  const sealed = Sealed.make(`v1.owner.${"A".repeat(40)}`)
  const accountId = AccountId.make("somebody")
  const made = { channelId, accountId, title: sealed, description: null, visibility: "public" }
  const parts = [{ number: 1, offset: 0, length: bytes.length }]
  const asked = { channelId, fileName: sealed, byteLength: bytes.length, parts, centre: "local" }
  yield* (yield* ObjectStore).put(sourcePart(videoId, 1), bytes)
  yield* say(videoStream(videoId), { _tag: "VideoCreated", videoId, at, ...made } as DomainEvent)
  const of = { videoId, at }
  const arrived = { parts: [{ number: 1, etag: "x" }] }
  yield* say(uploadStream(videoId), { _tag: "UploadRequested", ...of, ...asked })
  yield* say(uploadStream(videoId), { _tag: "PartsReceived", ...of, ...arrived })
  yield* say(uploadStream(videoId), {
    ...{ _tag: "UploadCompleted", ...of, byteLength: bytes.length },
  })
  return videoId
})

type Told = Extract<DomainEvent, { _tag: "TranscodeCompleted" | "TranscodeFailed" }>

const ended = Effect.fnUntraced(function* (videoId: VideoId) {
  const store = yield* EventStore
  const isEnd = (event: { readonly _tag: string }): event is Told =>
    event._tag === "TranscodeCompleted" || event._tag === "TranscodeFailed"
  const ends = yield* store.follow({}).pipe(
    Stream.filterMap((news) =>
      news._tag === "Event" && isEnd(news.recorded.event) && news.recorded.event.videoId === videoId
        ? Result.succeed(news.recorded.event)
        : Result.fail(news),
    ),
    Stream.take(1),
    Stream.runCollect,
  )
  return ends[0]
})

// What viewers get

const written = Effect.fnUntraced(function* (name: string, keys: ReadonlyArray<string>) {
  const objects = yield* ObjectStore
  const file = join(directory, name)
  const parts = yield* Effect.forEach(keys, (key) => objects.get(key))
  yield* Effect.promise(() => Bun.write(file, Buffer.concat(parts)))
  return file
})

/** How far the pictures are from gray: 0, not at all. Both planes of colour, every frame. */
const colourOf = (file: string) =>
  Effect.promise(async () => {
    const chroma = "signalstats,metadata=print:key=lavfi.signalstats.SATMAX:file=-"
    const told = await program(
      "ffmpeg",
      "-v",
      "error",
      "-i",
      file,
      "-vf",
      chroma,
      "-f",
      "null",
      "-",
    )
    const values = [...told.matchAll(/SATMAX=([\d.]+)/g)].map(([, value]) => Number(value))
    return Math.max(...values)
  })

const framesIn = (file: string) =>
  Effect.promise(async () => {
    const count = ["-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
    return Number(await program("ffprobe", "-v", "error", "-select_streams", "v", ...count, file))
  })

/** Every rendition of pictures as one file, and each picture that was taken. */
const shownOf = Effect.fnUntraced(function* (videoId: VideoId, run = 1) {
  const objects = yield* ObjectStore
  const main = new TextDecoder().decode(yield* objects.get(manifest(videoId, run, "main.m3u8")))
  const lists = main.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  const videos = yield* Effect.forEach(new Set(lists), (list) =>
    Effect.gen(function* () {
      const text = new TextDecoder().decode(yield* objects.get(manifest(videoId, run, list)))
      const names = [...text.matchAll(/(?:URI="([^"]+)"|^([^#\n]+)$)/gm)].map(
        (it) => it[1] ?? it[2],
      )
      const keys = names.map((name) => `segments/${videoId}/${run}/${name}`)
      return yield* written(`${videoId}-${list}.mp4`, keys)
    }),
  )
  const images = yield* objects.list(`images/${videoId}/${run}/`).pipe(Stream.runCollect)
  const jpegs = images.map(({ key }) => key).filter((key) => key.endsWith(".jpg"))
  const pictures = yield* Effect.forEach(jpegs, (key, n) => written(`${videoId}-${n}.jpg`, [key]))
  return { videos, pictures }
})

/** The built-in pipeline with one task more, whose index all makers of pictures read. */
const grayscale = async () => {
  const tree = parse(
    await Bun.file(`${import.meta.dir}/../../domain/transcode/default.yaml`).text(),
  )
  const task = `{ name: grayscale, type: Grayscale, input: { index: $context.index }, output: { gray: it.index } }`
  const gray = ["encode-video", "thumbnails", "storyboard", "package"]
  const tasks = tree.tasks.map((it: { name: string; input: object }) =>
    gray.includes(it.name) ? { ...it, input: { ...it.input, index: "$context.gray" } } : it,
  )
  return JSON.stringify({ ...tree, pipeline: "gray", tasks: [...tasks, parse(task)] })
}

describe("a task type of one's own", () => {
  test(
    "makes the videos of one channel gray, from then on, and no other's",
    () =>
      inside((asking) =>
        Effect.gen(function* () {
          const earlier = yield* uploadAsOwner(asking)
          expect((yield* choose(asking, yield* Effect.promise(grayscale))).status).toBe(200)
          const gray = yield* uploadAsOwner(asking)
          const other = yield* uploadElsewhere(asking)
          for (const [videoId, isGray] of [
            [gray, true],
            [other, false],
            [earlier, false],
          ] as const) {
            expect(yield* ended(videoId)).toMatchObject({ _tag: "TranscodeCompleted", videoId })
            const { videos, pictures } = yield* shownOf(videoId)
            expect(videos.length).toBeGreaterThan(0)
            expect(pictures.length).toBeGreaterThan(0)
            for (const file of [...videos, ...pictures]) {
              const colour = yield* colourOf(file)
              if (isGray) expect([file, colour]).toEqual([file, expect.closeTo(0, -0.5)])
              else expect(colour).toBeGreaterThan(20)
            }
            for (const file of videos) expect(yield* framesIn(file)).toBe(125)
          }
        }),
      ),
    120_000,
  )
})

describe("two tasks in their own notation", () => {
  const notation = () =>
    Effect.promise(() =>
      Bun.file(`${import.meta.dir}/../../domain/transcode/download-transcode.dag`).text(),
    )

  test(
    "download and transcode a video that can be watched",
    () =>
      inside((asking) =>
        Effect.gen(function* () {
          const { status, text } = yield* choose(asking, yield* notation())
          expect(status).toBe(422)
          expect(JSON.parse(text).mistakes).toEqual([
            'pipeline "pipeline": task "downlaod-input" has type "Downlaod", which is not registered; did you mean "Download"?',
          ])
          const right = (yield* notation()).replace("type 'Downlaod'", "type 'Download'")
          expect((yield* choose(asking, right)).status).toBe(200)
          const videoId = yield* uploadAsOwner(asking)
          expect(yield* ended(videoId)).toMatchObject({ _tag: "TranscodeCompleted" })
          const { videos } = yield* shownOf(videoId)
          expect(videos.length).toBeGreaterThan(0)
          for (const file of videos) expect(yield* framesIn(file)).toBe(125)

          const history = yield* (yield* EventStore).read(transcodeStream(videoId))
          const told = history.flatMap(({ event }) =>
            event._tag === "TaskSucceeded" || event._tag === "TranscodePlayable"
              ? [event._tag]
              : [],
          )
          expect(told).toEqual(["TaskSucceeded", "TaskSucceeded", "TranscodePlayable"])
          const shown = yield* asking.ask("owner", `/v1/videos/${videoId}`)
          expect(JSON.parse(shown.text)).toMatchObject({
            ...{
              source: { durationSeconds: 5 },
              rungs: [{ averageBitsPerSecond: expect.any(Number) }],
            },
          })
        }),
      ),
    120_000,
  )
})

test(
  "a worker of a few types takes nothing else, and what nobody takes is told",
  () =>
    inside(
      (asking) =>
        Effect.gen(function* () {
          yield* uploadAsOwner(asking)
          const told = (path: string, text: string) =>
            asking
              .ask("owner", path)
              .pipe(Effect.repeat({ until: (answer) => answer.text.includes(text) }))
          const queues = JSON.parse((yield* told("/v1/queue", '"Thumbnails"')).text)
          expect(queues.workerQueue.map(({ can }: { can: unknown }) => can)).toEqual([
            ["Thumbnails"],
          ])
          const ready = JSON.parse((yield* told("/readyz", '"type":"Inspect"')).text)
          expect(ready).toMatchObject({
            status: "ready",
            nobodyCan: [{ type: "Inspect", count: 1 }],
          })
        }),
      ["thumbnail"],
    ),
  60_000,
)
