/** What is recorded in `video-{videoId}`: what the video is called and who may watch it. */
import { Schema } from "effect"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { Picture } from "#domain/transcode/facts.ts"

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

/** Of an image that the owner uploaded: made of its bytes. */
export const ImageId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/))

/** Copies of an image that is no moment of the video. */
const { key, width, height, files } = Picture.fields
export const OwnPicture = Schema.Struct({ key, width, height, files })
export type OwnPicture = typeof OwnPicture.Type

/** Which of the pictures that the platform made, from 1, best first; `null`: whichever is best. */
export const Choice = Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })))

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
  /** What the video is shown by from now on. */
  ThumbnailChosen: { ...ofVideo, choice: Choice },
  /** The owner's own image lies at `own-images/{videoId}/{image}`: as it came, shown to nobody. */
  ThumbnailUploaded: { ...ofVideo, image: ImageId, byteLength: Schema.Int },
  /** It has been made anew, pixels alone, and is shown from now on. */
  ThumbnailMade: { ...ofVideo, image: ImageId, picture: OwnPicture },
  ThumbnailRefused: { ...ofVideo, image: ImageId, code: Schema.String },
  /** The first seconds of the lowest rung can be watched. */
  VideoPlayable: { ...ofVideo, transcode: Schema.String },
  /** Every rendition is whole; the final manifests stand at `manifests/{videoId}/{run}/`. */
  VideoPublished: { ...ofVideo, transcode: Schema.String },
  /** There are more renditions than were published: `all.m3u8` and `all.mpd` stand beside the others. */
  VideoExtended: { ...ofVideo, transcode: Schema.String },
  /**
   * To be made anew, by what the channel has set now. What can be watched, made by `transcode`, stays
   * until `VideoPublished` names another.
   */
  RenditionsRequested: {
    ...ofVideo,
    channelId: ChannelId,
    transcode: Schema.String,
    actor: Schema.String,
  },
  VideoFailed: { ...ofVideo, code: Schema.String },
  VideoTakenDown: { ...ofVideo, reason: TakedownReason, actor: Schema.String },
  VideoReinstated: { ...ofVideo, actor: Schema.String },
})
export type VideoEvent = typeof VideoEvent.Type
