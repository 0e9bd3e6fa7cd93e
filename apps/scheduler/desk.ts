/**
 * What a scheduler knows, in office or not: the queues and the policy, folded from the log, and
 * what it has sent and not read back yet. It never folds what it has only sent.
 */
import type { DomainEvent } from "#domain/events.ts"
import type { VideoId } from "#domain/ids.ts"
import { evolvePolicy, noPolicy, type Policy } from "#domain/policy.ts"
import { nameOf } from "#domain/scheduling/decide.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import { evolve } from "#domain/scheduling/evolve.ts"
import { queueFactOf } from "#domain/scheduling/queue-fact.ts"
import { hasWork, noQueues, type Queues } from "#domain/scheduling/queues.ts"
import type { Recorded } from "#infra/event-store/port.ts"

export interface Desk {
  readonly queues: Queues
  readonly policy: Policy
  /** By name: what this scheduler has recorded in its office and not read back. */
  readonly sent: Map<string, SchedulingEvent>
  readonly expiring: Set<VideoId>
  /** The last event of each stream that schedulers write. */
  readonly tails: Map<string, Recorded>
  /** The upload that it all began with, for the metadata. */
  readonly correlations: Map<VideoId, string>
  /** The event read last: what is decided now follows from it. */
  lastEventId: string
  /** Beats since a scheduler was heard. */
  quietBeats: number
  wasBusy: boolean
}

export const emptyDesk = (): Desk => ({
  queues: noQueues(),
  policy: noPolicy(),
  sent: new Map(),
  expiring: new Set(),
  tails: new Map(),
  correlations: new Map(),
  lastEventId: "",
  quietBeats: 0,
  wasBusy: false,
})

/** Keeps the later one: what was appended may be known before it is read. */
export const keepTail = ({ tails }: Desk, recorded: Recorded) => {
  const known = tails.get(recorded.stream)
  if (known === undefined || known.revision <= recorded.revision) {
    tails.set(recorded.stream, recorded)
  }
}

const correlate = ({ correlations }: Desk, event: DomainEvent, { metadata }: Recorded) => {
  switch (event._tag) {
    case "VideoCreated":
    case "UploadRequested":
      correlations.set(event.videoId, metadata.$correlationId)
      break
    case "TranscodeCompleted":
      if (event.goesOn !== true) correlations.delete(event.videoId)
      break
    case "TranscodeExtended":
    case "TranscodeFailed":
      correlations.delete(event.videoId)
      break
  }
}

export const fold = (desk: Desk, recorded: Recorded): void => {
  const { event, stream } = recorded
  if (stream.startsWith("scheduler-") || stream.startsWith("inbox-")) keepTail(desk, recorded)
  if (event._tag === "Unreadable") return
  desk.lastEventId = recorded.id
  correlate(desk, event, recorded)
  evolvePolicy(desk.policy, event)
  if (event._tag === "UploadExpired" || event._tag === "UploadCompleted") {
    desk.expiring.delete(event.videoId)
  }
  const fact = queueFactOf(event, recorded.revision)
  if (fact === undefined) return
  evolve(desk.queues, fact)
  if (fact._tag === "UploadNews") return
  desk.sent.delete(nameOf(fact))
  if ("cell" in event) desk.quietBeats = 0
  if (event._tag === "WorkerLost") desk.tails.delete(stream)
}

export const isBusy = ({ queues, policy }: Desk) => hasWork(queues) || policy.due.size > 0
