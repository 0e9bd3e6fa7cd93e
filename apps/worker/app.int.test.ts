import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, type Scope, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { Cell, inboxStream, transcodeStream } from "#domain/ids.ts"
import { runPrefix } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { builtInStages } from "./app.ts"
import { lives } from "./life.ts"
import {
  clipOf,
  eventually,
  office,
  planned,
  program,
  receivePart,
  record,
  requestUpload,
  told,
  uploadWhole,
  videoId,
  withScratch,
} from "./testing.ts"

const SECONDS = 11
const FRAMES = SECONDS * 25

const directory = mkdtempSync(join(tmpdir(), "reelog-worker-int-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const clip = join(directory, "clip.mp4")
beforeAll(() => clipOf(clip, "426x240", SECONDS), 60_000)

const surroundings = Layer.provideMerge(
  withScratch(),
  Layer.mergeAll(memoryEventStore, memoryObjectStore, ffmpegMediaTools),
)
const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof surroundings> | Scope.Scope>) =>
  Effect.runPromise(Effect.provide(Effect.scoped(effect), surroundings))

const platform = Effect.gen(function* () {
  const cell = Cell.make("loc")
  yield* Effect.forkScoped(lives({ cell, slots: 16, stages: builtInStages.light }))
  yield* Effect.forkScoped(lives({ cell, slots: 2, stages: builtInStages.encode }))
  yield* Effect.forkScoped(office)
})

type Ended = Extract<DomainEvent, { _tag: "TranscodeCompleted" | "TranscodeFailed" }>
const hasEnded = (event: DomainEvent): event is Ended =>
  event._tag === "TranscodeCompleted" || event._tag === "TranscodeFailed"

/** What a player would fetch, as files. */
const written = Effect.fnUntraced(function* (name: string) {
  const objects = yield* ObjectStore
  const home = join(directory, name)
  const write = (prefix: string) =>
    objects
      .list(prefix)
      .pipe(
        Stream.runForEach(({ key }) =>
          Effect.flatMap(objects.get(key), (bytes) =>
            Effect.promise(() => Bun.write(join(home, key.slice(prefix.length)), bytes)),
          ),
        ),
      )
  yield* write(runPrefix(videoId, 1))
  yield* write(`manifests/${videoId}/1/`)
  return home
})

const framesOf = async (list: string, stream: string) => {
  const asked = [
    "-select_streams",
    stream,
    "-count_frames",
    "-show_entries",
    "stream=nb_read_frames",
  ]
  const out = await program("ffprobe", "-v", "error", ...asked, "-of", "csv=p=0", list)
  return Number.parseInt(out, 10)
}

test(
  "a real clip becomes HLS that plays, with every frame of every rung",
  () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* Effect.promise(() => Bun.file(clip).bytes())
        yield* uploadWhole(bytes, 100_000)
        yield* record(transcodeStream(videoId), planned)
        yield* platform
        expect(yield* eventually(hasEnded)).toMatchObject({ _tag: "TranscodeCompleted" })

        const home = yield* written("whole")
        const main = yield* Effect.promise(() => Bun.file(join(home, "main.m3u8")).text())
        const rungs = main.split("\n").filter((line) => /^\w+\.m3u8$/.test(line))
        expect(rungs.length).toBeGreaterThan(0)
        for (const list of rungs) {
          const frames = yield* Effect.promise(() => framesOf(join(home, list), "v:0"))
          expect([list, frames]).toEqual([list, FRAMES])
        }
        const sound = yield* Effect.promise(() =>
          program(
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
            join(home, "audio.m3u8"),
          ),
        )
        expect(Math.abs(Number(sound) - SECONDS)).toBeLessThan(0.1)
      }),
    ),
  60_000,
)

test(
  "its first piece is encoded while the upload goes on",
  () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* Effect.promise(() => Bun.file(clip).bytes())
        const half = Math.ceil(bytes.length / 2)
        yield* requestUpload(bytes.length, half)
        yield* receivePart(1, bytes.subarray(0, half))
        yield* record(transcodeStream(videoId), planned)
        yield* platform
        type Success = Extract<DomainEvent, { _tag: "TaskSucceeded" }>
        yield* eventually(
          (event): event is Success =>
            event._tag === "TaskSucceeded" && event.taskId.endsWith("encode-video:r1/0"),
        )
        yield* receivePart(2, bytes.subarray(half))
        expect(yield* eventually(hasEnded)).toMatchObject({ _tag: "TranscodeCompleted" })
      }),
    ),
  60_000,
)

test(
  "a revoked encode is killed at once",
  () =>
    run(
      Effect.gen(function* () {
        const bytes = yield* Effect.promise(() => Bun.file(clip).bytes())
        yield* uploadWhole(bytes, 100_000)
        yield* record(transcodeStream(videoId), planned)
        yield* platform
        type Assigned = Extract<DomainEvent, { _tag: "TaskAssigned" }>
        const { epoch, worker, taskId, attempt } = yield* eventually(
          (event): event is Assigned =>
            event._tag === "TaskAssigned" && event.taskId.includes("encode-video"),
        )
        const lease = { videoId, taskId, attempt, worker }
        yield* record(inboxStream(worker), { _tag: "TaskRevoked", ...lease, epoch })
        type Answer = Extract<DomainEvent, { _tag: "TaskReleased" | "TaskSucceeded" }>
        const answer = yield* eventually(
          (event): event is Answer =>
            (event._tag === "TaskReleased" || event._tag === "TaskSucceeded") &&
            event.taskId === taskId,
        )
        expect(answer._tag).toBe("TaskReleased")
        expect((yield* told).some(({ _tag }) => _tag === "TaskFailed")).toBe(false)
      }),
    ),
  60_000,
)
