/** What is recorded in `channel-{channelId}`. */
import { Schema } from "effect"
import { AccountId, ChannelId, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"

export const ChannelEvent = Schema.TaggedUnion({
  /** `null`: the built-in one. For videos that are created from then on. */
  PipelineChosen: {
    channelId: ChannelId,
    actor: Schema.String,
    pipeline: Schema.NullOr(Schema.Struct({ text: Schema.String, tree: Schema.Json })),
    at: Timestamp,
  },
  ChannelOpened: { channelId: ChannelId, accountId: AccountId, name: Sealed, at: Timestamp },
})
export type ChannelEvent = typeof ChannelEvent.Type
