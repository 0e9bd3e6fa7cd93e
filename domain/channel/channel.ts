/**
 * A channel: opened once, by one account; its videos are made by its own pipeline, if it has chosen
 * one, and carry its watermark, if it has set one.
 */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider, type Decision, reject } from "#domain/decider.ts"
import { AccountId, ChannelId, channelStream, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import type { ChannelEvent } from "./events.ts"
import {
  evolveMarks,
  isWaiting,
  MarkId,
  MarkImage,
  type Marks,
  noMarks,
  Wish,
} from "./watermark.ts"

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
  SetWatermark: { ...ofChannel, actor: Schema.String, watermark: Schema.NullOr(Wish) },
  /** What a worker made of it, or why it could not. */
  ShowWatermark: { ...ofChannel, mark: MarkId, image: MarkImage },
  RefuseWatermark: { ...ofChannel, mark: MarkId, code: Schema.String },
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
  readonly marks: Marks
}

const evolve = (channel: Channel, event: ChannelEvent): Channel => {
  switch (event._tag) {
    case "ChannelOpened":
      return { ...channel, isOpen: true }
    case "PipelineChosen":
      return { ...channel, pipeline: event.pipeline?.text ?? null }
    case "WatermarkSet":
    case "WatermarkMade":
    case "WatermarkRefused":
      return { ...channel, marks: evolveMarks(channel.marks, event) }
  }
}

// Decisions

const isSame = (one: Wish | null, other: Wish | null) =>
  one === null || other === null
    ? one === other
    : one.mark === other.mark &&
      one.corner === other.corner &&
      one.opacity === other.opacity &&
      one.size === other.size &&
      one.margin === other.margin

type OfMark = Extract<ChannelCommand, { _tag: "ShowWatermark" | "RefuseWatermark" }>

/** A picture that comes too late, after another wish, is passed over. */
const decideMark = ({ marks }: Channel, command: OfMark): Decision<ChannelEvent, never> => {
  const { channelId, mark, at } = command
  if (!isWaiting(marks) || marks.wish?.mark !== mark) return alreadyDone
  return command._tag === "ShowWatermark"
    ? accept({ _tag: "WatermarkMade", channelId, mark, image: command.image, at })
    : accept({ _tag: "WatermarkRefused", channelId, mark, code: command.code, at })
}

const decide = (
  channel: Channel,
  command: ChannelCommand,
): Decision<ChannelEvent, ChannelNotFound> => {
  const { channelId, at } = command
  const { isOpen, pipeline: chosen, marks } = channel
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
    case "SetWatermark": {
      const { watermark, actor } = command
      if (!isOpen) return reject(new ChannelNotFound({ channelId }))
      // A refused one may be tried again.
      return isSame(watermark, marks.wish) && marks.refused === null
        ? alreadyDone
        : accept({ _tag: "WatermarkSet", channelId, actor, watermark, at })
    }
    case "ShowWatermark":
    case "RefuseWatermark":
      return decideMark(channel, command)
  }
}

export const channel: Decider<Channel, ChannelCommand, ChannelEvent, ChannelNotFound> = {
  stream: ({ channelId }) => channelStream(channelId),
  initial: { isOpen: false, pipeline: null, marks: noMarks },
  decide,
  evolve,
}
