/** What is recorded in `takedown-{videoId}`: the case beside the fact. The takedown itself is an event of the video. */
import { Schema } from "effect"
import { Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { TakedownReason } from "#domain/video/events.ts"

const ofCase = { videoId: VideoId, at: Timestamp, actor: Schema.String }

export const TakedownEvent = Schema.TaggedUnion({
  TakedownOrdered: { ...ofCase, reason: TakedownReason, note: Schema.NullOr(Sealed) },
  TakedownLifted: ofCase,
})
export type TakedownEvent = typeof TakedownEvent.Type
