/** A channel: opened once, by one account; its videos are made by its own pipeline, if it has chosen one. */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider, type Decision, reject } from "#domain/decider.ts"
import { AccountId, ChannelId, channelStream, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import type { ChannelEvent } from "./events.ts"

const ofChannel = { channelId: ChannelId, at: Timestamp }

// Commands

export const ChannelCommand = Schema.TaggedUnion({
  OpenChannel: { ...ofChannel, accountId: AccountId, name: Sealed },
  /** A text that was read and checked, and its tree; `null`: the built-in pipeline again. */
  ChoosePipeline: {
    ...ofChannel,
    actor: Schema.String,
    pipeline: Schema.NullOr(Schema.Struct({ text: Schema.String, tree: Schema.Json })),
  },
})
export type ChannelCommand = typeof ChannelCommand.Type

// Rejections

export class ChannelNotFound extends Schema.TaggedError<ChannelNotFound>()("ChannelNotFound", {
  channelId: Schema.String,
}) {}

// State

export interface Channel {
  readonly isOpen: boolean
  /** The text of its own pipeline. */
  readonly pipeline: string | null
}

const evolve = (channel: Channel, event: ChannelEvent): Channel => {
  switch (event._tag) {
    case "ChannelOpened":
      return { ...channel, isOpen: true }
    case "PipelineChosen":
      return { ...channel, pipeline: event.pipeline?.text ?? null }
  }
}

// Decisions

const decide = (
  { isOpen, pipeline: chosen }: Channel,
  command: ChannelCommand,
): Decision<ChannelEvent, ChannelNotFound> => {
  const { channelId, at } = command
  switch (command._tag) {
    case "OpenChannel": {
      const { accountId, name } = command
      return isOpen
        ? alreadyDone
        : accept({ _tag: "ChannelOpened", channelId, accountId, name, at })
    }
    case "ChoosePipeline": {
      const { pipeline, actor } = command
      if (!isOpen) return reject(new ChannelNotFound({ channelId }))
      return (pipeline?.text ?? null) === chosen
        ? alreadyDone
        : accept({ _tag: "PipelineChosen", channelId, actor, pipeline, at })
    }
  }
}

export const channel: Decider<Channel, ChannelCommand, ChannelEvent, ChannelNotFound> = {
  stream: ({ channelId }) => channelStream(channelId),
  initial: { isOpen: false, pipeline: null },
  decide,
  evolve,
}
