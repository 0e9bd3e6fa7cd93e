/**
 * A projection is a decider that never decides: it names the row an event belongs to and how that
 * row changes. The projector loads the rows of a whole batch, folds the events over them, and
 * writes rows and checkpoint in one transaction.
 */
import type { PgTable } from "drizzle-orm/pg-core"
import type { DomainEvent } from "#domain/events.ts"

/** An event and where it stands in the log. */
export interface Fact {
  readonly event: DomainEvent
  readonly stream: string
  readonly revision: number
  readonly position: string
  /** When the store wrote it: scheduling events carry no time of their own. */
  readonly recordedAt: number
}

export interface Projection<Table extends PgTable = PgTable> {
  /** Names the checkpoint too: a changed `evolve` takes a new name, and so is rebuilt. */
  readonly name: string
  /** Its first column is the primary key. */
  readonly table: Table
  /** The row's primary key and shard key; `null` for an event of no concern here. */
  readonly keyOf: (fact: Fact) => string | null
  /** The same row again, unchanged, costs no write; `null` deletes it. */
  readonly evolve: (row: Table["$inferSelect"] | null, fact: Fact) => Table["$inferSelect"] | null
}

export const projection = <Table extends PgTable>(definition: Projection<Table>) => definition

/** The video an event tells about. Its four streams and the inboxes all name it. */
export const videoOfEvent = (event: DomainEvent): string | null =>
  "videoId" in event ? event.videoId : null
