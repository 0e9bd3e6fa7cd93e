/** A reader in memory: it answers from the stories' events alone. */
import { Effect } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import {
  type QueuesView,
  type Reader,
  ReaderUnavailable,
  type Told,
  type VideoPage,
  type VideoState,
} from "../reader.ts"
import { begun, ids, ladder, seal, session, stories, unseal } from "./stories.ts"

interface Media {
  readonly edge: string
  readonly thumbnailUrl: string | null
  readonly storyboardUrl?: string
}

/** One picture at every width, as an older video has it. */
const stillAt = (url: string | null) =>
  url === null ? null : { url, width: 640, height: 360, files: [] }

/** The row of a video by replaying its story up to a position. */
const pageOf = (story: ReadonlyArray<Told>, media: Media): VideoPage | null => {
  const { edge, thumbnailUrl, storyboardUrl = null } = media
  const still = stillAt(thumbnailUrl)
  const first = story[0]?.event
  const last = story.at(-1)
  if (first?._tag !== "VideoCreated" || last === undefined) return null
  const has = (tag: DomainEvent["_tag"]) => story.find(({ event }) => event._tag === tag)
  const edited = story.findLast(({ event }) => event._tag === "VideoDetailsChanged")?.event
  const details = edited?._tag === "VideoDetailsChanged" ? edited : undefined
  const down = story.findLast(({ event }) =>
    ["VideoTakenDown", "VideoReinstated"].includes(event._tag),
  )?.event
  const reached: ReadonlyArray<readonly [DomainEvent["_tag"], VideoState]> = [
    ["VideoFailed", "failed"],
    ["VideoPublished", "published"],
    ["VideoPlayable", "playable"],
    ["UploadCompleted", "processing"],
  ]
  const progress = reached.find(([tag]) => has(tag) !== undefined)?.[1] ?? "uploading"
  const isPlayable = progress === "published" || progress === "playable"
  const revisions = story.filter(({ stream }) => stream.startsWith("video-"))
  return {
    videoId: first.videoId,
    channelId: first.channelId,
    channelName: seal("Mina Seo"),
    title: details?.title ?? first.title,
    description: details?.description ?? null,
    visibility: details?.visibility ?? first.visibility,
    state: down?._tag === "VideoTakenDown" ? "taken-down" : progress,
    takedownReason: down?._tag === "VideoTakenDown" ? down.reason : null,
    durationSeconds: isPlayable ? 52 : null,
    still: isPlayable ? still : null,
    stills: still === null ? [] : [{ still, choice: 1, isShown: true }],
    storyboardUrl: isPlayable ? storyboardUrl : null,
    hlsUrl: isPlayable ? `${edge}/v/${first.videoId}/main.m3u8` : null,
    createdAt: begun,
    publishedAt: has("VideoPublished")?.recordedAt ?? null,
    height: isPlayable ? 720 : null,
    byteLength: 7_600_000,
    failureCode: progress === "failed" ? "unreadable" : null,
    revision: revisions.length - 1,
    position: last.position,
    fileName: seal("sintel.mp4"),
    source: isPlayable
      ? { width: 1280, height: 720, framesPerSecond: 24, codec: "h264", hasAudio: true }
      : null,
    renditions: isPlayable
      ? ladder
          .map(({ name, width, height, codecs, maxBitsPerSecond }) => ({
            ...{ name, width, height, codecs, bitsPerSecond: maxBitsPerSecond },
            byteLength: progress === "published" ? Math.round(maxBitsPerSecond * 6.5) : null,
          }))
          .reverse()
      : [],
  }
}

const queues: QueuesView = {
  ...{ cell: "loc", epoch: 12, tick: 40, position: "18204", readyCount: 2 },
  ready: [
    {
      ...{ taskId: `${ids.making}.1/encode-video:r1/0`, videoId: ids.making },
      ...{ type: "EncodeVideo", because: "first-seconds" },
    },
    {
      ...{ taskId: `${ids.waiting}.1/storyboard`, videoId: ids.waiting },
      ...{ type: "Storyboard", because: "nobody-can" },
    },
  ],
  workers: [
    { worker: "loc00000000000000w1", can: ["EncodeVideo"], slots: 4, busy: 3, isStopping: false },
    { worker: "loc00000000000000w2", can: ["Inspect"], slots: 16, busy: 1, isStopping: true },
  ],
  running: [
    {
      ...{ taskId: `${ids.making}.1/encode-video:all/3`, videoId: ids.making },
      ...{ worker: "loc00000000000000w1", attempt: 0, ticksLeft: 12, leaseTicks: 15 },
    },
  ],
  completion: {
    ...{ backlog: 1, inFlight: 1 },
    parked: [{ position: "17911", type: "TranscodeCompleted", videoId: ids.published, tries: 8 }],
  },
  setAside: [
    { position: "17702", type: "VideoRenamed", videoId: ids.published, model: "watch-page-v1" },
  ],
  models: [
    { name: "watch-page-v1", position: "18201", isBehind: true },
    { name: "studio-list-v1", position: "18204", isBehind: false },
  ],
}

export const code = "one-time-code"
export const token = "session-token"

/** `isDown` makes everything unavailable, as when the read store is away. */
export const memoryReader = (media: Media, isDown: () => boolean = () => false): Reader => {
  let spent = false
  const read = <A>(value: () => A) =>
    Effect.suspend(() =>
      isDown()
        ? Effect.fail(new ReaderUnavailable({ cause: new Error("away") }))
        : Effect.succeed(value()),
    )
  const isNotAfter = (position: string, limit: string) =>
    position.length === limit.length ? position <= limit : position.length < limit.length
  const rowOf = (videoId: string, at?: string) => {
    const story = stories.get(videoId) ?? []
    const kept = story.filter(({ position }) => at === undefined || isNotAfter(position, at))
    return pageOf(kept, media)
  }
  const rows = () => [...stories.keys()].flatMap((videoId) => rowOf(videoId) ?? [])
  const none = { next: null }
  return {
    home: () =>
      read(() => ({
        rows: rows().filter((row) => row.state === "published" && row.visibility === "public"),
        ...none,
      })),
    studio: () => read(() => ({ rows: rows(), ...none })),
    video: (videoId, { at }) => read(() => rowOf(videoId, at)),
    history: (videoId) => read(() => stories.get(videoId) ?? []),
    moderation: () =>
      read(() => ({
        rows: [...stories.values()].flat().flatMap((told) => {
          const { event, recordedAt: when, position } = told
          if (event._tag !== "VideoTakenDown" && event._tag !== "VideoReinstated") return []
          const isDownNow = rowOf(event.videoId)?.state === "taken-down"
          const action = event._tag === "VideoTakenDown" ? ("taken-down" as const) : "reinstated"
          return [
            {
              ...{ videoId: event.videoId, title: rowOf(event.videoId)?.title ?? null, action },
              reason: event._tag === "VideoTakenDown" ? event.reason : null,
              ...{ actor: event.actor, at: when, position },
              isInForce: isDownNow && event._tag === "VideoTakenDown",
            } as const,
          ]
        }),
        ...none,
      })),
    queues: () => read(() => queues),
    readiness: () =>
      Effect.succeed([
        { name: "event store", isReady: true },
        { name: "read store", isReady: !isDown() },
      ]),
    open: (text) => read(() => unseal(text)),
    session: (given) => read(() => (given === token ? session : null)),
    signIn: (given) =>
      read(() => {
        if (given !== code || spent) return null
        spent = true
        return { token, maxAgeSeconds: 3600 }
      }),
    signOut: () => read(() => undefined),
  }
}
