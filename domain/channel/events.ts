/** What is recorded in `channel-{channelId}`. */
import { Schema } from "effect"
import { AccountId, ChannelId, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { MarkId, MarkImage, Wish } from "./watermark.ts"

export const ChannelEvent = Schema.TaggedUnion({
  /** `null`: the built-in one. For videos that are created from then on. */
  PipelineChosen: {
    channelId: ChannelId,
    actor: Schema.String,
    pipeline: Schema.NullOr(Schema.Struct({ text: Schema.String, tree: Schema.Json })),
    at: Timestamp,
  },
  /** `null`: none any more. What it is of lies at `watermark-sources/{channelId}/{mark}` until it is made. */
  WatermarkSet: {
    channelId: ChannelId,
    actor: Schema.String,
    watermark: Schema.NullOr(Wish),
    at: Timestamp,
  },
  /** A picture of it: videos that are created from then on carry it. */
  WatermarkMade: { channelId: ChannelId, mark: MarkId, image: MarkImage, at: Timestamp },
  WatermarkRefused: { channelId: ChannelId, mark: MarkId, code: Schema.String, at: Timestamp },
  ChannelOpened: { channelId: ChannelId, accountId: AccountId, name: Sealed, at: Timestamp },
})
export type ChannelEvent = typeof ChannelEvent.Type
