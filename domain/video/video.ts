/**
 * The life of a video: Absent → processing → playable → published (or failed), and closed by a
 * takedown from anywhere once it exists. Publication and takedown are decided on the same stream
 * at an exact revision, so they can't both win. What happens inside processing (the encoding
 * tasks) is the transcode's own story: see `domain/scheduling/`.
 */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider, type Decision, reject } from "#domain/decider.ts"
import { AccountId, ChannelId, Timestamp, VideoId, videoStream } from "#domain/ids.ts"
import { runOf } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import {
  Choice,
  ImageId,
  OwnPicture,
  TakedownReason,
  type VideoEvent,
  Visibility,
} from "./events.ts"

// Commands

const ofVideo = { videoId: VideoId, at: Timestamp }

export const VideoCommand = Schema.TaggedUnion({
  CreateVideo: {
    ...ofVideo,
    channelId: ChannelId,
    accountId: AccountId,
    title: Sealed,
    description: Schema.NullOr(Sealed),
    visibility: Visibility,
    /** Keyed hash of what was asked, so that a retry is told from another request under the same key. */
    request: Schema.String,
  },
  ChangeVideoDetails: {
    ...ofVideo,
    title: Schema.optionalKey(Sealed),
    description: Schema.optionalKey(Schema.NullOr(Sealed)),
    visibility: Schema.optionalKey(Visibility),
  },
  ChooseThumbnail: { ...ofVideo, choice: Choice },
  UploadThumbnail: { ...ofVideo, image: ImageId, byteLength: Schema.Int },
  ShowThumbnail: { ...ofVideo, image: ImageId, picture: OwnPicture },
  RefuseThumbnail: { ...ofVideo, image: ImageId, code: Schema.String },
  MarkPlayable: { ...ofVideo, transcode: Schema.String },
  PublishVideo: { ...ofVideo, transcode: Schema.String },
  ExtendVideo: { ...ofVideo, transcode: Schema.String },
  FailVideo: { ...ofVideo, code: Schema.String },
  RequestRenditions: { ...ofVideo, channelId: ChannelId, actor: Schema.String },
  TakeDownVideo: { ...ofVideo, reason: TakedownReason, actor: Schema.String },
  ReinstateVideo: { ...ofVideo, actor: Schema.String },
})
export type VideoCommand = typeof VideoCommand.Type

// Rejections

export class VideoNotFound extends Schema.TaggedError<VideoNotFound>()("VideoNotFound", {
  /** As it was asked for: perhaps no id at all. */
  videoId: Schema.String,
}) {}

/** The same key was used for another request. */
export class RequestDiffers extends Schema.TaggedError<RequestDiffers>()("RequestDiffers", {
  videoId: VideoId,
}) {}

export class VideoClosed extends Schema.TaggedError<VideoClosed>()("VideoClosed", {
  videoId: VideoId,
}) {}

export class VideoHasFailed extends Schema.TaggedError<VideoHasFailed>()("VideoHasFailed", {
  videoId: VideoId,
  code: Schema.String,
}) {}

/** There is nothing yet that could be made anew. */
export class VideoNotPublished extends Schema.TaggedError<VideoNotPublished>()(
  "VideoNotPublished",
  { videoId: VideoId },
) {}

export type VideoRejection =
  | VideoNotFound
  | RequestDiffers
  | VideoClosed
  | VideoHasFailed
  | VideoNotPublished

// State

export type Progress =
  | { readonly _tag: "Processing" }
  | { readonly _tag: "Playable"; readonly transcode: string }
  | { readonly _tag: "Published"; readonly transcode: string }
  | { readonly _tag: "Failed"; readonly code: string }

/** What was asked to be shown last; an own image is waited for until it has been made. */
type Thumbnail =
  | { readonly _tag: "Made"; readonly choice: number | null }
  | { readonly _tag: "Own"; readonly image: string; readonly isWaiting: boolean }

export type Video =
  | { readonly _tag: "Absent" }
  | {
      readonly _tag: "Present"
      readonly request: string | undefined
      readonly progress: Progress
      readonly isTakenDown: boolean
      readonly thumbnail: Thumbnail
      /** The transcode that made more renditions than were published. */
      readonly extended: string | null
    }

const evolve = (video: Video, event: VideoEvent): Video => {
  if (event._tag === "VideoCreated") {
    const progress = { _tag: "Processing" } as const
    const thumbnail = { _tag: "Made", choice: null } as const
    const { request } = event
    return {
      ...{ _tag: "Present", request, progress, thumbnail },
      isTakenDown: false,
      extended: null,
    }
  }
  if (video._tag === "Absent") return video
  switch (event._tag) {
    case "VideoDetailsChanged":
    case "RenditionsRequested":
      return video
    case "ThumbnailChosen":
      return { ...video, thumbnail: { _tag: "Made", choice: event.choice } }
    case "ThumbnailUploaded":
      return { ...video, thumbnail: { _tag: "Own", image: event.image, isWaiting: true } }
    case "ThumbnailMade":
    case "ThumbnailRefused":
      return { ...video, thumbnail: { _tag: "Own", image: event.image, isWaiting: false } }
    case "VideoPlayable":
      return { ...video, progress: { _tag: "Playable", transcode: event.transcode } }
    case "VideoPublished":
      return { ...video, progress: { _tag: "Published", transcode: event.transcode } }
    case "VideoExtended":
      return { ...video, extended: event.transcode }
    case "VideoFailed":
      return { ...video, progress: { _tag: "Failed", code: event.code } }
    case "VideoTakenDown":
      return { ...video, isTakenDown: true }
    case "VideoReinstated":
      return { ...video, isTakenDown: false }
  }
}

// Decisions

type Present = Extract<Video, { _tag: "Present" }>
type Milestone = Extract<VideoCommand, { _tag: "MarkPlayable" | "PublishVideo" | "FailVideo" }>

/** What the transcode achieved, told late, twice or out of order: a video only moves forward. */
const decideMilestone = (
  video: Present,
  command: Milestone,
): Decision<VideoEvent, VideoRejection> => {
  const { videoId, at } = command
  const { progress } = video
  if (progress._tag === "Published") {
    // Made anew, it takes the place of what is watched; a run that fails changes nothing.
    const isNewer =
      command._tag === "PublishVideo" && runOf(command.transcode) > runOf(progress.transcode)
    if (!isNewer) return alreadyDone
  }
  if (command._tag === "FailVideo") {
    const failed = { _tag: "VideoFailed", videoId, code: command.code, at } as const
    return progress._tag === "Failed" ? alreadyDone : accept(failed)
  }
  if (video.isTakenDown) return reject(new VideoClosed({ videoId }))
  const { transcode } = command
  if (command._tag === "PublishVideo") {
    return accept({ _tag: "VideoPublished", videoId, transcode, at })
  }
  if (progress._tag === "Failed") {
    return reject(new VideoHasFailed({ videoId, code: progress.code }))
  }
  // After a reinstatement a later run plays: what the earlier one made is gone.
  const isKnown = progress._tag === "Playable" && runOf(transcode) <= runOf(progress.transcode)
  return isKnown ? alreadyDone : accept({ _tag: "VideoPlayable", videoId, transcode, at })
}

type OfThumbnail = Extract<
  VideoCommand,
  { _tag: "ChooseThumbnail" | "UploadThumbnail" | "ShowThumbnail" | "RefuseThumbnail" }
>

/** An image that has been made too late, after another wish, is not shown. */
const decideThumbnail = (
  { thumbnail }: Present,
  command: OfThumbnail,
): Decision<VideoEvent, VideoRejection> => {
  const { videoId, at } = command
  if (command._tag === "ChooseThumbnail") {
    const { choice } = command
    const isKnown = thumbnail._tag === "Made" && thumbnail.choice === choice
    return isKnown ? alreadyDone : accept({ _tag: "ThumbnailChosen", videoId, choice, at })
  }
  const { image } = command
  const isWaiting = thumbnail._tag === "Own" && thumbnail.image === image && thumbnail.isWaiting
  switch (command._tag) {
    case "UploadThumbnail": {
      const { byteLength } = command
      return isWaiting
        ? alreadyDone
        : accept({ _tag: "ThumbnailUploaded", videoId, image, byteLength, at })
    }
    case "ShowThumbnail": {
      const { picture } = command
      return isWaiting
        ? accept({ _tag: "ThumbnailMade", videoId, image, picture, at })
        : alreadyDone
    }
    case "RefuseThumbnail":
      return isWaiting
        ? accept({ _tag: "ThumbnailRefused", videoId, image, code: command.code, at })
        : alreadyDone
  }
}

const decide = (video: Video, command: VideoCommand): Decision<VideoEvent, VideoRejection> => {
  const { videoId, at } = command
  if (command._tag === "CreateVideo") {
    const { channelId, accountId, title, description, visibility, request } = command
    if (video._tag === "Present") {
      return video.request === request ? alreadyDone : reject(new RequestDiffers({ videoId }))
    }
    const created = { videoId, at, channelId, accountId, title, description, visibility, request }
    return accept({ _tag: "VideoCreated", ...created })
  }
  if (video._tag === "Absent") return reject(new VideoNotFound({ videoId }))

  switch (command._tag) {
    case "ChangeVideoDetails": {
      const { _tag, ...details } = command
      return accept({ _tag: "VideoDetailsChanged", ...details })
    }
    case "ChooseThumbnail":
    case "UploadThumbnail":
    case "ShowThumbnail":
    case "RefuseThumbnail":
      return decideThumbnail(video, command)
    case "RequestRenditions": {
      const { channelId, actor } = command
      if (video.isTakenDown) return reject(new VideoClosed({ videoId }))
      if (video.progress._tag !== "Published") return reject(new VideoNotPublished({ videoId }))
      const { transcode } = video.progress
      return accept({ _tag: "RenditionsRequested", videoId, channelId, transcode, actor, at })
    }
    case "MarkPlayable":
    case "PublishVideo":
    case "FailVideo":
      return decideMilestone(video, command)
    // Also of one that is taken down: it may come back. That it was published may be told after this.
    case "ExtendVideo": {
      const { transcode } = command
      const isKnown = video.extended !== null && runOf(transcode) <= runOf(video.extended)
      return isKnown ? alreadyDone : accept({ _tag: "VideoExtended", videoId, transcode, at })
    }
    case "TakeDownVideo": {
      const { reason, actor } = command
      return video.isTakenDown
        ? alreadyDone
        : accept({ _tag: "VideoTakenDown", videoId, reason, actor, at })
    }
    case "ReinstateVideo":
      return video.isTakenDown
        ? accept({ _tag: "VideoReinstated", videoId, actor: command.actor, at })
        : alreadyDone
  }
}

export const video: Decider<Video, VideoCommand, VideoEvent, VideoRejection> = {
  stream: ({ videoId }) => videoStream(videoId),
  initial: { _tag: "Absent" },
  decide,
  evolve,
}
