/** What the tests of the worker share: a small video, its plan, a scheduler in office, and media tools that make bytes up. */
import { readFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Duration, Effect, Layer, Option, Result, Stream } from "effect"
import { parse } from "yaml"
import type { DomainEvent } from "#domain/events.ts"
import {
  ChannelId,
  schedulerStream,
  Timestamp,
  transcodeStream,
  uploadStream,
  VideoId,
} from "#domain/ids.ts"
import { sourcePart, transcodeId } from "#domain/keys.ts"
import { decide, nameOf, streamOf } from "#domain/scheduling/decide.ts"
import type { Piece, SchedulingEvent } from "#domain/scheduling/events.ts"
import { evolve } from "#domain/scheduling/evolve.ts"
import { queueFactOf } from "#domain/scheduling/queue-fact.ts"
import { noQueues } from "#domain/scheduling/queues.ts"
import { Sealed } from "#domain/sealed.ts"
import type { Media, Rung } from "#domain/transcode/facts.ts"
import { readPipeline, stepsOf } from "#domain/transcode/pipeline.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import type { UploadEvent } from "#domain/upload/events.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { MediaTools, type PlannedPiece, type SegmentFile } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { scratch } from "./scratch.ts"
import { sources } from "./source.ts"

export const videoId = VideoId.make("loc0000000000000001")
export const transcode = transcodeId(videoId, 1)
const channelId = ChannelId.make("rick")
const at = Timestamp.make(1_700_000_000_000)

// Events as somebody else records them

export const record = Effect.fnUntraced(function* (
  stream: ReturnType<typeof uploadStream>,
  event: DomainEvent,
) {
  const store = yield* EventStore
  const proposed = yield* envelope(stream, event, { cause: crypto.randomUUID(), actor: "test" })
  return yield* store.append(stream, "any", [proposed])
})

const recordUpload = (event: UploadEvent) => record(uploadStream(videoId), event)

export const requestUpload = (byteLength: number, partLength: number) => {
  const count = Math.ceil(byteLength / partLength)
  const parts = Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    offset: index * partLength,
    length: Math.min(partLength, byteLength - index * partLength),
  }))
  const fileName = Sealed.make(`v1.rick.${"A".repeat(40)}`)
  const of = { videoId, at, channelId, fileName, byteLength, centre: "local" }
  return recordUpload({ _tag: "UploadRequested", ...of, parts })
}

export const receivePart = Effect.fnUntraced(function* (number: number, bytes: Uint8Array) {
  yield* (yield* ObjectStore).put(sourcePart(videoId, number), bytes)
  yield* recordUpload({ _tag: "PartsReceived", videoId, at, parts: [{ number, etag: "x" }] })
})

export const expireUpload = recordUpload({ _tag: "UploadExpired", videoId, at })

export const uploadWhole = Effect.fnUntraced(function* (bytes: Uint8Array, partLength: number) {
  yield* requestUpload(bytes.length, partLength)
  for (let number = 1; (number - 1) * partLength < bytes.length; number += 1) {
    yield* receivePart(number, bytes.subarray((number - 1) * partLength, number * partLength))
  }
  yield* recordUpload({ _tag: "UploadCompleted", videoId, at, byteLength: bytes.length })
})

const yaml = readFileSync(join(import.meta.dir, "../../domain/transcode/default.yaml"), "utf8")
const pipeline = Result.getOrThrow(readPipeline(parse(yaml)))

export const planned: SchedulingEvent = {
  _tag: "TranscodePlanned",
  videoId,
  transcode,
  channelId,
  service: "standard",
  pipeline: "default",
  steps: stepsOf(pipeline, builtInTypes),
  config: { source: videoId },
}

/** The scheduler in office, without ticks: what fails is not tried again. Runs for ever. */
export const office = Effect.gen(function* () {
  const store = yield* EventStore
  const queues = noQueues()
  const sent = new Map<string, SchedulingEvent>()
  yield* record(schedulerStream("loc"), { _tag: "SchedulerStarted", cell: "loc", epoch: 1 })
  yield* store.follow({}).pipe(
    Stream.runForEach((news) =>
      Effect.gen(function* () {
        if (news._tag !== "Event" || news.recorded.event._tag === "Unreadable") return
        const fact = queueFactOf(news.recorded.event, news.recorded.revision)
        if (fact === undefined) return
        evolve(queues, fact)
        if (fact._tag !== "UploadNews") sent.delete(nameOf(fact))
        if (queues.epoch === 0) return
        for (const owed of decide(queues, sent)) {
          sent.set(nameOf(owed), owed)
          yield* record(streamOf(owed), owed)
        }
      }),
    ),
  )
})

/** The first event of a stream, or of the log, that fits; waits for it. */
export const eventually = <A extends DomainEvent>(isWanted: (event: DomainEvent) => event is A) =>
  Effect.gen(function* () {
    const store = yield* EventStore
    const found = yield* store.follow({}).pipe(
      Stream.filterMap((news) =>
        news._tag === "Event" &&
        news.recorded.event._tag !== "Unreadable" &&
        isWanted(news.recorded.event)
          ? Result.succeed(news.recorded.event)
          : Result.fail(news),
      ),
      Stream.runHead,
    )
    return Option.getOrThrow(found)
  })

export const told = Effect.gen(function* () {
  const history = yield* (yield* EventStore).read(transcodeStream(videoId))
  return history.map(({ event }) => event)
})

// Media tools that make bytes up: two pieces of 2 s, two rungs, sound

const media: Media = {
  demuxer: "mov",
  video: {
    index: 0,
    codec: "h264",
    width: 640,
    height: 360,
    framesPerSecond: 30,
    bitsPerSecond: null,
  },
  audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
  durationTicks: 360_000,
  targetDuration: 12,
  byteLength: 100,
}
const rungs: ReadonlyArray<Rung> = [
  ["240p", "r1", 240],
  ["360p", "r2", 360],
].map(([name, group, height]) => ({
  name: String(name),
  group: String(group),
  width: Math.round((Number(height) * 16) / 9),
  height: Number(height),
  maxBitsPerSecond: Number(height) * 1000,
  codecs: "avc1.64001f",
}))

const spent = { cpuSeconds: 0.5, peakMebibytes: 10 }
const bytes = (text: string) => new TextEncoder().encode(text)
const segmentOf = (name: string, k: number): SegmentFile => {
  const data = bytes(`${name} ${k}`)
  return { k, start: k * 180_000, duration: 180_000, bytes: data.length, data }
}
export const pieces: ReadonlyArray<PlannedPiece> = [0, 1].map((n) => ({
  piece: {
    n,
    from: n * 180_000,
    to: (n + 1) * 180_000,
    frames: 60,
    keyPts: n * 180_000,
    groups: ["r1", "all"],
  },
  ranges: [{ from: n * 50, to: (n + 1) * 50 }],
}))

export const madeUp: Partial<MediaTools["Service"]> = {
  sandbox: "bwrap",
  build: "made up",
  inspect: (source) =>
    Effect.as(source.read({ from: 0, to: 10 }), { media, rungs, index: bytes("{}"), ...spent }),
  look: (index) => Effect.succeed(index),
  split: () => Effect.succeed(pieces),
  encode: ({ piece, rungs: wanted }: { piece: Piece; rungs: ReadonlyArray<Rung> }) =>
    Effect.succeed({
      rungs: wanted.map(({ name }) => ({
        rung: name,
        init: bytes(`init ${name}`),
        segments: [segmentOf(name, piece.n)],
      })),
      way: "sparse" as const,
      isDamaged: false,
      ...spent,
    }),
  encodeAudio: ({ emit }) =>
    emit({
      rendition: "audio",
      place: 0,
      init: bytes("init audio"),
      segments: [segmentOf("audio", 0), segmentOf("audio", 1)],
    }).pipe(
      Effect.as({
        audio: {
          renditions: [
            {
              name: "audio",
              group: "stereo" as const,
              language: null,
              title: null,
              isDefault: true,
              codecs: "mp4a.40.2",
              channels: 2,
              initBytes: 10,
              segmentCount: 2,
              bitsPerSecond: 128_000,
              loudness: null,
            },
          ],
        },
        ...spent,
      }),
    ),
  extractText: () => Effect.succeed({ text: { tracks: [], chapters: [] }, files: [], ...spent }),
  thumbnails: () =>
    Effect.succeed({
      images: [
        {
          at: 0,
          files: [
            { name: "1-640.jpg", data: bytes("jpeg"), width: 640, height: 360, format: "jpeg" },
          ],
        },
      ],
      ...spent,
    }),
  storyboard: () =>
    Effect.succeed({
      sprites: [{ name: "storyboard-0.jpg", data: bytes("jpeg"), width: 640, height: 360, at: 0 }],
      vtt: "WEBVTT\n",
      ...spent,
    }),
}

export const mediaTools = (changes: Partial<MediaTools["Service"]> = {}) =>
  Layer.mock(MediaTools, { ...madeUp, ...changes } as never)

// Where it all runs

const scratchDirectory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "reelog-worker-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true })),
)

export const withScratch = ({
  quotaBytes = 2 ** 30,
  patience = "1 minute",
}: {
  readonly quotaBytes?: number
  readonly patience?: Duration.Input | undefined
} = {}) =>
  Layer.provideMerge(
    sources(patience),
    Layer.unwrap(Effect.map(scratchDirectory, (directory) => scratch({ directory, quotaBytes }))),
  )

// Real programs and a real clip

export const program = async (...command: ReadonlyArray<string>) => {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe" })
  const [out, complaint] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(complaint)
  return out
}

/** H.264 at 25 frames per second with a key frame each 2 s, and a tone. */
export const clipOf = (path: string, size: string, seconds: number) =>
  program(
    ...["ffmpeg", "-v", "error"],
    ...["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25:duration=${seconds}`],
    ...["-f", "lavfi", "-i", `sine=frequency=440:duration=${seconds}`],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac"],
    ...["-movflags", "+faststart", path],
  )
