/** How the test of a projection reads: `rowOf(watchPage).after(…)`. Facts are numbered as the log would. */
import type { PgTable } from "drizzle-orm/pg-core"
import type { DomainEvent } from "#domain/events.ts"
import {
  accountStream,
  channelStream,
  inboxStream,
  type StreamName,
  schedulerStream,
  takedownStream,
  transcodeStream,
  uploadStream,
  videoStream,
} from "#domain/ids.ts"
import type { Fact, Projection } from "./projection.ts"

const streamOf = (event: DomainEvent): StreamName => {
  const { _tag } = event
  if (_tag === "TaskAssigned" || _tag === "TaskRevoked") return inboxStream(event.worker)
  if (_tag === "SchedulerTicked") return schedulerStream(event.cell)
  if (_tag === "SignInLinkUsed") return accountStream(event.accountId)
  if (_tag.startsWith("Task") || _tag.startsWith("Transcode")) {
    return transcodeStream("videoId" in event ? event.videoId : "")
  }
  if (!("videoId" in event)) return channelStream("channelId" in event ? event.channelId : "")
  if (_tag.startsWith("Takedown")) return takedownStream(event.videoId)
  return _tag.startsWith("Video") ? videoStream(event.videoId) : uploadStream(event.videoId)
}

/** Each event's place: 100, 200, … in the log, and its number in its stream. */
export const factsOf = (
  events: ReadonlyArray<DomainEvent>,
): ReadonlyArray<Fact & { readonly stream: StreamName }> => {
  const revisions = new Map<string, number>()
  return events.map((event, index) => {
    const stream = streamOf(event)
    const revision = (revisions.get(stream) ?? -1) + 1
    revisions.set(stream, revision)
    return { event, stream, revision, position: String((index + 1) * 100), recordedAt: index }
  })
}

export const rowOf = <Table extends PgTable>(projection: Projection<Table>) => ({
  /** The one row that these events make. */
  after: (...events: ReadonlyArray<DomainEvent>) =>
    factsOf(events)
      .filter((fact) => projection.keyOf(fact) !== null)
      .reduce<Table["$inferSelect"] | null>(projection.evolve, null),
})
