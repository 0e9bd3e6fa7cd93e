/**
 * The progress of one video as server-sent events: `upload`, `rendition`, `playable`, `published`,
 * `failed`, `taken-down`, `reinstated`. An event's id is its position in the log, so a client that
 * comes back with `Last-Event-ID` misses nothing: the same fold runs again and tells what is new.
 */
import { Effect, Stream } from "effect"
import { isAfter, type VideoId } from "#domain/ids.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { transcodeProgress } from "#projections/transcode-progress.ts"
import type { TranscodeProgress } from "#projections/transcode-progress-row.ts"
import { type WatchPage, watchPage } from "#projections/watch-page.ts"
import { lifeOf, rowAfter } from "./life.ts"
import { refusalOf } from "./strangers.ts"

/** A comment now and then, so that proxies and browsers keep the connection. */
const HEARTBEAT = "15 seconds"

interface Message {
  readonly event: string
  readonly data: unknown
}

type Progress = TranscodeProgress | null

const rungsChanged = (before: Progress, after: TranscodeProgress): ReadonlyArray<Message> =>
  after.rungs
    .filter((rung) => {
      const known = before?.rungs.find(({ name }) => name === rung.name)
      return known?.done !== rung.done || known.total !== rung.total
    })
    .map(({ name, done, total, width, height }) => ({
      event: "rendition",
      data: { rung: name, done, total, isTotalKnown: after.arePiecesWhole, width, height },
    }))

const uploadOf = ({
  bytesReceived,
  bytesTotal,
  partsReceived,
  partLengths,
}: TranscodeProgress) => ({
  receivedBytes: bytesReceived,
  byteLength: bytesTotal,
  parts: partsReceived,
  partCount: partLengths.length,
})

const messagesOf = (
  { event }: Recorded,
  before: Progress,
  after: Progress,
): ReadonlyArray<Message> => {
  switch (event._tag) {
    case "UploadRequested":
    case "PartsReceived":
    case "UploadCompleted":
      return after === null ? [] : [{ event: "upload", data: uploadOf(after) }]
    case "TaskEmitted":
    case "TaskSucceeded":
      return after === null ? [] : rungsChanged(before, after)
    case "VideoPlayable":
      return [{ event: "playable", data: {} }]
    case "VideoPublished":
      return [{ event: "published", data: {} }]
    case "VideoFailed":
      return [{ event: "failed", data: { code: event.code } }]
    case "UploadExpired":
      return [{ event: "failed", data: { code: "upload_expired" } }]
    case "VideoTakenDown":
      return [{ event: "taken-down", data: { reason: event.reason } }]
    case "VideoReinstated":
      return [{ event: "reinstated", data: {} }]
    default:
      return []
  }
}

/** Only the last frame of an event has its id: who lost some of them gets all of them again. */
const framesOf = (position: string, messages: ReadonlyArray<Message>) =>
  messages.map(({ event, data }, index) => {
    const id = index === messages.length - 1 ? `id: ${position}\n` : ""
    return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  })

/** Folds the life so far, then every new event; what lies at or before `after` is folded in silence. */
export const progressOf = Effect.fn("progressOf")(function* (
  videoId: VideoId,
  after: string | undefined,
  isOwner: boolean,
) {
  const store = yield* EventStore
  const life = yield* lifeOf(videoId)
  const page = rowAfter<WatchPage>(watchPage, life) ?? undefined
  const refusal = isOwner ? undefined : refusalOf(videoId, page)
  if (refusal !== undefined) return yield* refusal
  const end = life.at(-1)?.position
  const news = store
    .follow({
      ...(end === undefined ? {} : { after: end }),
      filter: { streams: [`video-${videoId}`, `upload-${videoId}`, `transcode-${videoId}`] },
    })
    .pipe(Stream.flatMap((it) => (it._tag === "Event" ? Stream.make(it.recorded) : Stream.empty)))

  const frames = Stream.concat(Stream.fromIterable(life), news).pipe(
    Stream.mapAccum(
      (): Progress => null,
      (before, recorded) => {
        const { event, ...place } = recorded
        if (event._tag === "Unreadable") return [before, []] as const
        const next = transcodeProgress.evolve(before, { event, ...place })
        const isNew = after === undefined || isAfter(recorded.position, after)
        const messages = isNew ? messagesOf(recorded, before, next) : []
        return [next, framesOf(recorded.position, messages)] as const
      },
    ),
  )
  const heartbeats = Stream.tick(HEARTBEAT).pipe(Stream.map(() => ": still here\n\n"))
  return Stream.merge(frames, heartbeats)
})

export const eventStreamOf = (body: ReadableStream<Uint8Array>) =>
  new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  })
