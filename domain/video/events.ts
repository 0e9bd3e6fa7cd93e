/** What is recorded in `video-{videoId}`: what the video is called and who may watch it. */
import { Schema } from "effect"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"

export const Visibility = Schema.Literals(["public", "unlisted", "private"])
export type Visibility = typeof Visibility.Type

export const TakedownReason = Schema.Literals([
  "copyright",
  "sexual",
  "illegal",
  "violence",
  "harassment",
  "spam",
  "owner-request",
  "other",
])
export type TakedownReason = typeof TakedownReason.Type

const ofVideo = { videoId: VideoId, at: Timestamp }

export const VideoEvent = Schema.TaggedUnion({
  VideoCreated: {
    ...ofVideo,
    channelId: ChannelId,
    accountId: AccountId,
    title: Sealed,
    description: Schema.NullOr(Sealed),
    visibility: Visibility,
    /** Keyed hash of the request, to tell a retry from another request under the same key. */
    request: Schema.optionalKey(Schema.String),
  },
  VideoDetailsChanged: {
    ...ofVideo,
    title: Schema.optionalKey(Sealed),
    description: Schema.optionalKey(Schema.NullOr(Sealed)),
    visibility: Schema.optionalKey(Visibility),
  },
  /** The first seconds of the lowest rung can be watched. */
  VideoPlayable: { ...ofVideo, transcode: Schema.String },
  /** Every rendition is whole; the final manifests stand at `manifests/{videoId}/{run}/`. */
  VideoPublished: { ...ofVideo, transcode: Schema.String },
  VideoFailed: { ...ofVideo, code: Schema.String },
  VideoTakenDown: { ...ofVideo, reason: TakedownReason, actor: Schema.String },
  VideoReinstated: { ...ofVideo, actor: Schema.String },
})
export type VideoEvent = typeof VideoEvent.Type
