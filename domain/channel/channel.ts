/** A channel: opened once, by one account. */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider } from "#domain/decider.ts"
import { AccountId, ChannelId, channelStream, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import type { ChannelEvent } from "./events.ts"

export const OpenChannel = Schema.TaggedStruct("OpenChannel", {
  channelId: ChannelId,
  accountId: AccountId,
  name: Sealed,
  at: Timestamp,
})
export type OpenChannel = typeof OpenChannel.Type

export interface Channel {
  readonly isOpen: boolean
}

export const channel: Decider<Channel, OpenChannel, ChannelEvent, never> = {
  stream: ({ channelId }) => channelStream(channelId),
  initial: { isOpen: false },
  decide: ({ isOpen }, { channelId, accountId, name, at }) =>
    isOpen ? alreadyDone : accept({ _tag: "ChannelOpened", channelId, accountId, name, at }),
  evolve: () => ({ isOpen: true }),
}
