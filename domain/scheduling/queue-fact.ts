/** What the queues are folded from: the scheduling events, and of an upload that something came. */
import type { DomainEvent } from "#domain/events.ts"
import type { VideoId } from "#domain/ids.ts"
import { SchedulingEvent } from "./events.ts"

export interface UploadNews {
  readonly _tag: "UploadNews"
  readonly videoId: VideoId
  /** Of the event in its stream. */
  readonly revision: number
  /** Nothing more will come. */
  readonly isOver: boolean
}

export type QueueFact = SchedulingEvent | UploadNews

const isScheduling = (event: DomainEvent): event is SchedulingEvent =>
  Object.hasOwn(SchedulingEvent.cases, event._tag)

/** An event of the log as the queues see it; `undefined` when it does not concern them. */
export const queueFactOf = (event: DomainEvent, revision: number): QueueFact | undefined => {
  switch (event._tag) {
    case "PartsReceived":
      return { _tag: "UploadNews", videoId: event.videoId, revision, isOver: false }
    case "UploadCompleted":
    case "UploadExpired":
      return { _tag: "UploadNews", videoId: event.videoId, revision, isOver: true }
    default:
      return isScheduling(event) ? event : undefined
  }
}
