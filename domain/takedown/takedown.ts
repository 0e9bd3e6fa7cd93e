/** The case beside a takedown: who ordered it, why, with which note, and who lifted it. The fact itself is the video's. */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider } from "#domain/decider.ts"
import { Timestamp, takedownStream, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { TakedownReason } from "#domain/video/events.ts"
import type { TakedownEvent } from "./events.ts"

const ofCase = { videoId: VideoId, at: Timestamp, actor: Schema.String }

export const TakedownCommand = Schema.TaggedUnion({
  OrderTakedown: { ...ofCase, reason: TakedownReason, note: Schema.NullOr(Sealed) },
  LiftTakedown: ofCase,
})
export type TakedownCommand = typeof TakedownCommand.Type

export interface TakedownCase {
  readonly isOpen: boolean
}

export const takedown: Decider<TakedownCase, TakedownCommand, TakedownEvent, never> = {
  stream: ({ videoId }) => takedownStream(videoId),
  initial: { isOpen: false },
  decide: ({ isOpen }, command) => {
    const { videoId, at, actor } = command
    if (command._tag === "OrderTakedown") {
      const { reason, note } = command
      return isOpen
        ? alreadyDone
        : accept({ _tag: "TakedownOrdered", videoId, at, actor, reason, note })
    }
    return isOpen ? accept({ _tag: "TakedownLifted", videoId, at, actor }) : alreadyDone
  },
  evolve: (_, event) => ({ isOpen: event._tag === "TakedownOrdered" }),
}
