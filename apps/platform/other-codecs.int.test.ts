/** A channel that asks for more codecs: H.264 is published first and waits for nothing; the rest is there later. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Result, type Scope, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { Cell, transcodeStream, type VideoId } from "#domain/ids.ts"
import { manifest, sourcePart } from "#domain/keys.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
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

const directory = mkdtempSync(join(tmpdir(), "reelog-codecs-"))
const clip = join(directory, "clip.mp4")
afterAll(() => rmSync(directory, { recursive: true, force: true }))
beforeAll(() => clipOf(clip, "426x240", 9), 60_000)

const over = insideOver({
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
})
const inside = <E>(story: (asking: Asking) => Effect.Effect<void, E, ApiServices | Scope.Scope>) =>
  over((asking) => Effect.andThen(platform, story(asking)))

const given = (name: string) =>
  Effect.promise(() => Bun.file(join(import.meta.dir, "../../domain/transcode", name)).text())

const choose = ({ fetch }: Asking, body: string) =>
  Effect.promise(async () => {
    const headers = { "content-type": "application/yaml" }
    const path = "/v1/channels/main/pipeline"
    return (await fetch("owner", path, { method: "PUT", body, headers })).text()
  })

const upload = Effect.fnUntraced(function* ({ ask, create }: Asking) {
  const bytes = yield* Effect.promise(() => Bun.file(clip).bytes())
  const videoId = yield* create({ byteLength: bytes.length })
  yield* (yield* ObjectStore).put(sourcePart(videoId, 1), bytes)
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  const parts = [{ number: 1, etag: "*", sha256 }]
  yield* ask("owner", `/v1/videos/${videoId}/parts`, "POST", { parts })
  yield* ask("owner", `/v1/videos/${videoId}/complete`, "POST")
  return videoId
})

type End = Extract<DomainEvent, { _tag: "TranscodeExtended" | "TranscodeFailed" }>
const isEnd = (event: { readonly _tag: string }): event is End =>
  event._tag === "TranscodeExtended" || event._tag === "TranscodeFailed"

const ended = Effect.fnUntraced(function* (videoId: VideoId) {
  const store = yield* EventStore
  yield* store.follow({}).pipe(
    Stream.filterMap((news) =>
      news._tag === "Event" && isEnd(news.recorded.event) && news.recorded.event.videoId === videoId
        ? Result.succeed(news.recorded.event)
        : Result.fail(news),
    ),
    Stream.take(1),
    Stream.runDrain,
  )
  return (yield* store.read(transcodeStream(videoId))).map(({ event }) => event)
})

const textOf = Effect.fnUntraced(function* (videoId: VideoId, name: string) {
  const objects = yield* ObjectStore
  return new TextDecoder().decode(yield* objects.get(manifest(videoId, 1, name)))
})

const framesOf = Effect.fnUntraced(function* (videoId: VideoId, rung: string) {
  const objects = yield* ObjectStore
  const list = yield* textOf(videoId, `${rung}.m3u8`)
  const names = [...list.matchAll(/(?:URI="([^"]+)"|^([^#\n]+)$)/gm)].map((it) => it[1] ?? it[2])
  const parts = yield* Effect.forEach(names, (name) => objects.get(`segments/${videoId}/1/${name}`))
  const file = join(directory, `${rung}.mp4`)
  yield* Effect.promise(() => Bun.write(file, Buffer.concat(parts)))
  const count = ["-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]
  return Number(
    yield* Effect.promise(() =>
      program("ffprobe", "-v", "error", "-select_streams", "v", ...count, file),
    ),
  )
})

const taskOf = (event: { readonly _tag: string }) =>
  event._tag === "TaskSucceeded" && "taskId" in event
    ? [String(event.taskId).split("/")[1]?.split(":")[0] ?? ""]
    : []

test(
  "a channel that asks for more codecs has its videos published in H.264 first, and in the others later",
  () =>
    inside((asking) =>
      Effect.gen(function* () {
        const answer = yield* choose(asking, yield* given("more-codecs.yaml"))
        expect(JSON.parse(answer)).toMatchObject({ mistakes: [] })
        const videoId = yield* upload(asking)
        const history = yield* ended(videoId)
        const complete = history.findIndex(({ _tag }) => _tag === "TranscodeCompleted")
        expect(history[complete]).toMatchObject({ goesOn: true })
        const [before, after] = [history.slice(0, complete), history.slice(complete)]
        const later = /^(encode-(av1|vp9|hevc)|package-more)$/
        expect(before.flatMap(taskOf).filter((name) => later.test(name))).toEqual([])
        expect(after.flatMap(taskOf).every((name) => later.test(name))).toBe(true)
        const told = after.find((event) => taskOf(event)[0] === "package-more")
        expect(told).toMatchObject({ outputs: { leftOut: [] } })

        const first = yield* textOf(videoId, "main.m3u8")
        const all = yield* textOf(videoId, EXTENDED.hls)
        const dash = yield* textOf(videoId, EXTENDED.dash)
        expect(first).not.toContain("av01")
        for (const text of [all, dash]) {
          for (const codec of ["avc1.", "av01.0.", "vp09.00.", "hvc1.1.6."]) {
            expect(text).toContain(codec)
          }
        }
        const rungs = first.match(/^.*p\.m3u8$/gm) ?? []
        expect(rungs.length).toBeGreaterThan(0)
        const frames = yield* framesOf(videoId, rungs[0]?.replace(".m3u8", "") ?? "")
        for (const list of rungs) {
          for (const codec of ["av1", "vp9", "hevc"]) {
            const name = list.replace(".m3u8", `-${codec}`)
            expect(all).toContain(`${name}.m3u8`)
            expect(dash).toContain(`id="${name}"`)
            expect([name, yield* framesOf(videoId, name)]).toEqual([name, frames])
          }
        }
        // The sets of one codec are alike but for their pictures.
        const sets = dash.match(/<SegmentTimeline>[\s\S]*?<\/SegmentTimeline>/g) ?? []
        expect(new Set(sets.slice(0, 4 * rungs.length)).size).toBe(1)
      }),
    ),
  180_000,
)
