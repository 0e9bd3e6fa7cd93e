/**
 * The stories the tests of pages tell: one video that was published, taken down and put back, one
 * that is being made, one that failed, one that is closed, one whose bytes are still on their way,
 * one that was private until it was opened under another title.
 */
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId, WorkerId } from "#domain/ids.ts"
import type { Outputs } from "#domain/scheduling/events.ts"
import { Sealed } from "#domain/sealed.ts"
import type { Visibility } from "#domain/video/events.ts"
import type { Session, Told } from "../reader.ts"

export const begun = Date.UTC(2026, 10, 21, 14, 3, 2)
export const ids = {
  published: VideoId.make("loc0000000000000001"),
  making: VideoId.make("loc0000000000000002"),
  failed: VideoId.make("loc0000000000000003"),
  closed: VideoId.make("loc0000000000000004"),
  waiting: VideoId.make("loc0000000000000005"),
  opened: VideoId.make("loc0000000000000006"),
} as const

/** Sealed only in form: the text stands in it for the test to open. */
export const seal = (text: string): Sealed => {
  const padded = Buffer.from(text.padEnd(40)).toString("base64url")
  return Sealed.make(`v1.owner.${padded}`)
}
export const unseal = (text: Sealed) =>
  Buffer.from(text.split(".")[2] ?? "", "base64url")
    .toString()
    .trimEnd()

const channelId = ChannelId.make("mina")
export const session: Session = { accountId: "owner", channelId, name: seal("Mina Seo") }
const worker = WorkerId.make("loc00000000000000w1")

export const ladder = [
  { name: "240p", group: "r1", width: 426, height: 240, maxBitsPerSecond: 300_000 },
  { name: "360p", group: "r2", width: 640, height: 360, maxBitsPerSecond: 700_000 },
  { name: "720p", group: "r3", width: 1280, height: 720, maxBitsPerSecond: 2_400_000 },
].map((rung) => ({ ...rung, codecs: "avc1.64001f" }))

const media = {
  demuxer: "mov,mp4",
  video: {
    ...{ index: 0, codec: "h264", width: 1280, height: 720 },
    ...{ framesPerSecond: 24, bitsPerSecond: null },
  },
  audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
  durationTicks: 52 * 90_000,
  targetDuration: 12,
  byteLength: 7_600_000,
}

/** The story of a video as tuples: seconds after it was begun, stream, event. */
type Step = readonly [number, "video" | "upload" | "transcode" | "takedown", DomainEvent]

const storyOf = (
  videoId: VideoId,
  title: string,
  visibility: Visibility = "public",
): ReadonlyArray<Step> => {
  const at = Timestamp.make(begun)
  const transcode = `${videoId}.1`
  const parts = [0, 1, 2, 3].map((index) => ({
    ...{ number: index + 1, offset: index * 1_900_000, length: 1_900_000 },
  }))
  const done = (task: string, wallSeconds: number, outputs: Outputs): DomainEvent => ({
    ...{ _tag: "TaskSucceeded", videoId, taskId: `${transcode}/${task}`, attempt: 0, worker },
    ...{ outputs, wallSeconds },
  })
  const piece = (n: number, rungs: ReadonlyArray<string>) => ({
    segments: {
      n,
      rungs: rungs.map((rung) => ({
        ...{ rung, initBytes: 800 },
        segments: [{ k: n, start: n * 13 * 90_000, duration: 13 * 90_000, bytes: 90_000 }],
      })),
    },
  })
  const all = ladder.map(({ name }) => name)
  const received = (...numbers: ReadonlyArray<number>): DomainEvent => ({
    ...{ _tag: "PartsReceived", videoId, at },
    parts: numbers.map((number) => ({ number, etag: `"${number}"` })),
  })
  return [
    [
      0,
      "video",
      {
        ...{ _tag: "VideoCreated", videoId, at, channelId, visibility },
        ...{ accountId: AccountId.make("owner"), title: seal(title), description: null },
      },
    ],
    [
      0,
      "upload",
      {
        ...{ _tag: "UploadRequested", videoId, at, channelId, fileName: seal("sintel.mp4") },
        ...{ byteLength: 7_600_000, parts, centre: "local" },
      },
    ],
    [4, "upload", received(1)],
    [
      4,
      "transcode",
      {
        ...{ _tag: "TranscodePlanned", videoId, transcode, channelId, service: "standard" },
        ...{ pipeline: "default", steps: [], config: {} },
      },
    ],
    [5, "transcode", done("inspect", 0.4, { media, rungs: ladder })],
    [6, "transcode", done("encode-video:r1/0", 1, piece(0, ["240p"]))],
    [7, "transcode", done("encode-video:r2/0", 2, piece(0, ["360p"]))],
    [8, "transcode", done("encode-video:r1/1", 2, piece(1, ["240p"]))],
    [9, "transcode", { _tag: "TranscodePlayable", videoId, transcode }],
    [9, "video", { _tag: "VideoPlayable", videoId, at, transcode }],
    [12, "upload", received(2, 3)],
    [14, "transcode", done("encode-video:r3/0", 5, piece(0, ["720p"]))],
    [17, "transcode", done("encode-video:r2/1", 4, piece(1, ["360p"]))],
    [20, "upload", received(4)],
    [20, "upload", { _tag: "UploadCompleted", videoId, at, byteLength: 7_600_000 }],
    [23, "transcode", done("encode-video:r3/1", 7, piece(1, ["720p"]))],
    [29, "transcode", done("encode-video:all/2", 8, piece(2, all))],
    [36, "transcode", done("encode-video:all/3", 9, piece(3, all))],
    [36, "transcode", done("encode-audio", 24, { audio: { codecs: "mp4a.40.2" } })],
    [38, "transcode", { _tag: "TranscodeCompleted", videoId, transcode }],
    [38, "video", { _tag: "VideoPublished", videoId, at, transcode }],
  ]
}

const day = 86_400
const at = Timestamp.make(begun)
const actor = "owner"
const ofVideo = (videoId: VideoId) => ({ videoId, at })

const later = (videoId: VideoId): ReadonlyArray<Step> => [
  [
    0.4 * day,
    "video",
    {
      ...{ _tag: "VideoDetailsChanged", ...ofVideo(videoId) },
      title: seal("Sintel: official trailer"),
      description: seal("The trailer of the third open movie."),
    },
  ],
  [2.8 * day, "video", { _tag: "VideoTakenDown", ...ofVideo(videoId), reason: "copyright", actor }],
  [
    2.8 * day,
    "takedown",
    { _tag: "TakedownOrdered", ...ofVideo(videoId), reason: "copyright", actor, note: null },
  ],
  [3.6 * day, "video", { _tag: "VideoReinstated", ...ofVideo(videoId), actor }],
]

const opening = (videoId: VideoId): Step => [
  60,
  "video",
  {
    ...{ _tag: "VideoDetailsChanged", ...ofVideo(videoId), visibility: "unlisted" },
    title: seal("Open to friends"),
  },
]

const toldOf = (steps: ReadonlyArray<Step>, videoId: VideoId, first: number) => {
  const revisions = new Map<string, number>()
  return steps.map(([seconds, stream, event], index): Told => {
    const revision = revisions.get(stream) ?? 0
    revisions.set(stream, revision + 1)
    return {
      ...{ position: String(first + index * 7), stream: `${stream}-${videoId}`, revision },
      ...{ recordedAt: begun + seconds * 1000, actor: "owner", event },
    }
  })
}

export const stories = new Map<string, ReadonlyArray<Told>>([
  [
    ids.published,
    toldOf(
      [...storyOf(ids.published, "sintel_trailer-720p"), ...later(ids.published)],
      ids.published,
      4102,
    ),
  ],
  [
    ids.making,
    toldOf(storyOf(ids.making, "Rodents: a study in fur").slice(0, 14), ids.making, 18_002),
  ],
  [
    ids.failed,
    toldOf(
      [
        ...storyOf(ids.failed, "export_final_FINAL").slice(0, 4),
        [6, "video", { _tag: "VideoFailed", ...ofVideo(ids.failed), code: "unreadable" }],
      ],
      ids.failed,
      9000,
    ),
  ],
  [
    ids.closed,
    toldOf(
      [...storyOf(ids.closed, "Forest walk <b>no</b> score"), ...later(ids.closed).slice(1, 3)],
      ids.closed,
      11_400,
    ),
  ],
  [ids.waiting, toldOf(storyOf(ids.waiting, "다람쥐 이야기").slice(0, 3), ids.waiting, 17_000)],
  [
    ids.opened,
    toldOf(
      [...storyOf(ids.opened, "Not for you yet", "private"), opening(ids.opened)],
      ids.opened,
      15_000,
    ),
  ],
])
