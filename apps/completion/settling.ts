/**
 * What a milestone of a transcode means for its video, and what may be deleted then. Carried out
 * once or ten times, in any order, it comes to the same.
 */
import { Effect, Stream } from "effect"
import { Timestamp, transcodeStream, type VideoId, videoStream } from "#domain/ids.ts"
import { image, manifest, runOf, runPrefix, sourcePrefix, temp, tempPrefix } from "#domain/keys.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
import { type VideoCommand, video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"

/** What ends a video's processing, or a part of it. */
export const MILESTONES = [
  "TranscodePlayable",
  "TranscodeCompleted",
  "TranscodeExtended",
  "TranscodeFailed",
  "TranscodeCancelled",
  "UploadExpired",
] as const

const KEYS_AT_ONCE = 1_000

/** Its time is the milestone's own, so that a repeated command is the same command. */
const commandOf = ({ event, recordedAt }: Recorded): VideoCommand | undefined => {
  const at = Timestamp.make(Math.trunc(recordedAt))
  switch (event._tag) {
    case "TranscodePlayable":
      return { _tag: "MarkPlayable", videoId: event.videoId, transcode: event.transcode, at }
    case "TranscodeCompleted":
      return { _tag: "PublishVideo", videoId: event.videoId, transcode: event.transcode, at }
    case "TranscodeExtended":
      return { _tag: "ExtendVideo", videoId: event.videoId, transcode: event.transcode, at }
    case "TranscodeFailed":
      return { _tag: "FailVideo", videoId: event.videoId, code: event.code, at }
    case "UploadExpired":
      return { _tag: "FailVideo", videoId: event.videoId, code: "upload_expired", at }
    default:
      return undefined
  }
}

const ofRun = (videoId: VideoId, run: number) => [
  temp(videoId, run, ""),
  runPrefix(videoId, run),
  manifest(videoId, run, ""),
  image(videoId, run, ""),
]

/** Everything under these prefixes is of no use any more. */
const remainsOf = ({ event }: Recorded): ReadonlyArray<string> => {
  switch (event._tag) {
    case "TranscodeCompleted":
      return event.goesOn === true ? [] : [temp(event.videoId, runOf(event.transcode), "")]
    case "TranscodeExtended":
    case "TranscodeFailed":
      return [temp(event.videoId, runOf(event.transcode), "")]
    case "TranscodeCancelled":
      // The source stays, and so does what another run has made.
      return ofRun(event.videoId, runOf(event.transcode))
    case "UploadExpired":
      return [sourcePrefix(event.videoId), tempPrefix(event.videoId)]
    default:
      return []
  }
}

const removeAll = Effect.fnUntraced(function* (prefix: string) {
  const objects = yield* ObjectStore
  yield* objects.list(prefix).pipe(
    Stream.map(({ key }) => key),
    Stream.grouped(KEYS_AT_ONCE),
    Stream.runForEach((keys) => objects.remove(keys)),
  )
})

const publishedRun = Effect.fnUntraced(function* (videoId: VideoId) {
  const store = yield* EventStore
  const history = yield* store.read(videoStream(videoId))
  return history.reduce(
    (last, { event }) => (event._tag === "VideoPublished" ? runOf(event.transcode) : last),
    0,
  )
})

const wasComplete = Effect.fnUntraced(function* ({
  videoId,
  transcode,
}: {
  readonly videoId: VideoId
  readonly transcode: string
}) {
  const store = yield* EventStore
  const history = yield* store.read(transcodeStream(videoId))
  return history.some(
    ({ event }) => event._tag === "TranscodeCompleted" && event.transcode === transcode,
  )
})

/** Runs whose place another has taken, and one that came to nothing beside what is watched. */
const retiredBy = Effect.fnUntraced(function* ({ event }: Recorded) {
  switch (event._tag) {
    case "TranscodeCompleted":
    case "TranscodeExtended":
    case "TranscodeFailed": {
      const published = yield* publishedRun(event.videoId)
      const run = runOf(event.transcode)
      const earlier = Array.from({ length: Math.max(0, published - 1) }, (_, i) => i + 1)
      const cameToNothing = event._tag === "TranscodeFailed" && run > published && published > 0
      // Of one that was complete before it failed, the publication may be told after this.
      const isNothing = cameToNothing && !(yield* wasComplete(event))
      const retired = isNothing ? [...earlier, run] : earlier
      return retired.flatMap((each) => ofRun(event.videoId, each))
    }
    default:
      return []
  }
})

export const clean = Effect.fn("clean")(function* (recorded: Recorded) {
  const retired = yield* retiredBy(recorded)
  yield* Effect.forEach([...remainsOf(recorded), ...retired], removeAll, { discard: true })
})

/** The revision of the video's last event, -1 before the first. */
export const lastRevision = Effect.fnUntraced(function* (videoId: VideoId) {
  const store = yield* EventStore
  const [last] = yield* store.read(videoStream(videoId), { backwards: true, maxCount: 1 })
  return last?.revision ?? -1
})

/** Later tasks may all have been given up. */
const isExtended = Effect.fnUntraced(function* ({
  videoId,
  transcode,
}: Extract<VideoCommand, { _tag: "ExtendVideo" }>) {
  const objects = yield* ObjectStore
  return yield* objects.head(manifest(videoId, runOf(transcode), EXTENDED.hls)).pipe(
    Effect.as(true),
    Effect.catchTag("ObjectNotFound", () => Effect.succeed(false)),
  )
})

/** Tells the video. That it was taken down, or has failed already, is an answer too. */
export const settle = Effect.fn("settle")(function* (recorded: Recorded) {
  const command = commandOf(recorded)
  if (command === undefined) return
  if (command._tag === "ExtendVideo" && !(yield* isExtended(command))) return
  yield* execute(video, command, {
    cause: recorded.id,
    correlationId: recorded.metadata.$correlationId,
    causationId: recorded.id,
    actor: "completion",
  }).pipe(
    Effect.catchTag(["VideoClosed", "VideoHasFailed"], (refusal) =>
      Effect.logInfo("came too late", command._tag, refusal),
    ),
  )
})
