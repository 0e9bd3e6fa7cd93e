/** The life of one video as events, for the tests of projections. */
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId, WorkerId } from "#domain/ids.ts"
import { transcodeId } from "#domain/keys.ts"
import type { Outputs, Piece } from "#domain/scheduling/events.ts"
import { Sealed } from "#domain/sealed.ts"

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

/** The id of the nth video of a test. */
export const videoIdOf = (n: number) => {
  const digits = n.toString(32).padStart(16, "0")
  const letters = [...digits].map((digit) => ALPHABET[Number.parseInt(digit, 32)])
  return VideoId.make(`loc${letters.join("")}`)
}

export const sealed = (text: string) =>
  Sealed.make(`v1.owner.${Buffer.from(text.padEnd(32)).toString("base64url")}`)

export const channelId = ChannelId.make("rick")
const accountId = AccountId.make("owner")
export const worker = WorkerId.make("loc0000000000000wrk".padEnd(19, "0").slice(0, 19))
export const at = (millis: number) => Timestamp.make(1_700_000_000_000 + millis)

const step = (name: string, type: string, group?: string) =>
  group === undefined ? { name, type, after: [] } : { name, type, group, after: [] }
const steps = [
  step("inspect", "Inspect"),
  step("split", "Split"),
  step("encode-video:r1", "EncodeVideo", "r1"),
  step("encode-video:r2", "EncodeVideo", "r2"),
  step("encode-video:all", "EncodeVideo", "all"),
  step("encode-audio", "EncodeAudio"),
  step("package", "Package"),
]

/** Events of one video, `n` apart from those of the others in time too. */
export const lifeOf = (n: number, run = 1) => {
  const videoId = videoIdOf(n)
  const transcode = transcodeId(videoId, run)
  const time = (millis: number) => at(n * 1000 + millis)
  const lease = (step: string) => ({ taskId: `${transcode}/${step}`, attempt: 1, worker })
  return {
    videoId,
    transcode,
    created: {
      ...{ _tag: "VideoCreated", videoId, channelId, accountId, at: time(0) },
      ...{ title: sealed("A title"), description: null, visibility: "public" },
    },
    requested: {
      ...{ _tag: "UploadRequested", videoId, channelId, at: time(1), centre: "loc" },
      ...{ fileName: sealed("a.mp4"), byteLength: 20 },
      parts: [
        { number: 1, offset: 0, length: 12 },
        { number: 2, offset: 12, length: 8 },
      ],
    },
    received: (...numbers: ReadonlyArray<number>): DomainEvent => ({
      ...{ _tag: "PartsReceived", videoId, at: time(2) },
      parts: numbers.map((number) => ({ number, etag: "e" })),
    }),
    uploaded: { _tag: "UploadCompleted", videoId, byteLength: 20, at: time(3) },
    planned: {
      ...{ _tag: "TranscodePlanned", videoId, transcode, channelId, service: "standard" },
      ...{ pipeline: "default", steps, config: {} },
    },
    assigned: (step: string): DomainEvent => ({
      ...{ _tag: "TaskAssigned", videoId, ...lease(step), epoch: 1 },
    }),
    emitted: (step: string, ...pieces: ReadonlyArray<Piece>): DomainEvent => ({
      ...{ _tag: "TaskEmitted", videoId, taskId: `${transcode}/${step}`, worker, pieces },
    }),
    succeeded: (step: string, outputs: Outputs = {}): DomainEvent => ({
      ...{ _tag: "TaskSucceeded", videoId, ...lease(step), outputs, cpuSeconds: 1.5 },
    }),
    failed: (step: string): DomainEvent => ({
      ...{ _tag: "TaskFailed", videoId, ...lease(step), code: "EncoderCrashed" },
      recoverable: true,
    }),
    playable: { _tag: "VideoPlayable", videoId, transcode, at: time(4) },
    published: { _tag: "VideoPublished", videoId, transcode, at: time(5) },
    takenDown: {
      ...{ _tag: "VideoTakenDown", videoId, reason: "copyright", actor: "owner", at: time(6) },
    },
    reinstated: { _tag: "VideoReinstated", videoId, actor: "owner", at: time(7) },
  } as const satisfies Record<
    string,
    string | DomainEvent | ((...given: Array<never>) => DomainEvent)
  >
}

export const media = {
  demuxer: "mov",
  video: {
    ...{ index: 0, codec: "h264", width: 1280, height: 720 },
    ...{ framesPerSecond: 30, bitsPerSecond: null },
  },
  audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
  durationTicks: 540_000,
  targetDuration: 4,
  byteLength: 20,
}
const codecs = "avc1.64001f"
export const rungs = [
  { name: "240p", group: "r1", width: 426, height: 240, maxBitsPerSecond: 400_000, codecs },
  { name: "720p", group: "r2", width: 1280, height: 720, maxBitsPerSecond: 2_800_000, codecs },
]
