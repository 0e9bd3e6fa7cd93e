/** What is recorded in `channel-{channelId}`. */
import { Schema } from "effect"
import { AccountId, ChannelId, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"

export const ChannelEvent = Schema.TaggedUnion({
  ChannelOpened: { channelId: ChannelId, accountId: AccountId, name: Sealed, at: Timestamp },
})
export type ChannelEvent = typeof ChannelEvent.Type
