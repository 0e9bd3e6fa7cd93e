/** Reads the log from SQLite, page by page: by position, or by the revision of one stream within its limits. */
import type { Database } from "bun:sqlite"
import { isMetastream, type Limits, SOFTLY_DELETED, type Stored, TOMBSTONE } from "./record.ts"

export interface StreamHead extends Limits {
  readonly id: number
  /** Revision of the last event, -1 when there is none. */
  readonly last: number
  readonly tombstoned: boolean
}

type HeadRow = [number, number, number, number | null, number | null, number | null]
type EventRow = [number, string, number, string, string, number, Uint8Array, Uint8Array, number]

const storedOf = (row: EventRow): Stored => ({
  position: row[0],
  stream: row[1],
  revision: row[2],
  id: row[3],
  type: row[4],
  isJson: row[5] === 1,
  data: row[6],
  metadata: row[7],
  createdAt: row[8],
})

const COLUMNS =
  "e.position, s.name, e.revision, e.id, e.type, e.is_json, e.data, e.metadata, e.created_at"
const FROM = `SELECT ${COLUMNS} FROM events e JOIN streams s ON s.id = e.stream`

export const isSoftlyDeleted = (head: StreamHead) => head.truncateBefore === SOFTLY_DELETED

/** The first revision that is still shown, but for `$maxAge`. */
export const firstVisible = (head: StreamHead) =>
  Math.max(0, head.truncateBefore ?? 0, head.maxCount === null ? 0 : head.last - head.maxCount + 1)

/** Events written before this are no longer shown. */
export const oldestVisible = (head: StreamHead, now: number) =>
  head.maxAge === null ? 0 : now - head.maxAge * 1000

export const openReader = (db: Database) => {
  const headBy = db.query<unknown, [string]>(
    "SELECT id, last, tombstoned, max_age, max_count, truncate_before FROM streams WHERE name = ?",
  )
  const forwards = db.query<unknown, [number, number]>(
    `${FROM} WHERE e.position > ? ORDER BY e.position LIMIT ?`,
  )
  const backwards = db.query<unknown, [number, number]>(
    `${FROM} WHERE e.position < ? ORDER BY e.position DESC LIMIT ?`,
  )
  const streamForwards = db.query<unknown, [number, number, number, number]>(
    `${FROM} WHERE e.stream = ? AND e.revision >= ? AND e.created_at >= ? ORDER BY e.revision LIMIT ?`,
  )
  const streamBackwards = db.query<unknown, [number, number, number, number, number]>(
    `${FROM} WHERE e.stream = ? AND e.revision <= ? AND e.revision >= ? AND e.created_at >= ?
     ORDER BY e.revision DESC LIMIT ?`,
  )
  const lastPosition = db.query<{ position: number | null }, []>(
    "SELECT MAX(position) AS position FROM events",
  )

  const head = (stream: string): StreamHead | undefined => {
    const row = headBy.values(stream)[0] as HeadRow | undefined
    if (row === undefined) return undefined
    const [id, last, tombstoned, maxAge, maxCount, truncateBefore] = row
    return {
      id,
      last,
      tombstoned: tombstoned === 1,
      maxAge,
      // Of a metastream only its last event counts.
      maxCount: isMetastream(stream) ? 1 : maxCount,
      truncateBefore,
    }
  }

  const rows = (values: ReadonlyArray<unknown>) => (values as Array<EventRow>).map(storedOf)

  return {
    head,
    /** Position of the last event, 0 in an empty log. */
    end: () => lastPosition.get()?.position ?? 0,
    after: (position: number, count: number) => rows(forwards.values(position, count)),
    before: (position: number, count: number) => rows(backwards.values(position, count)),
    streamFrom: (head: StreamHead, revision: number, count: number) =>
      rows(
        streamForwards.values(
          head.id,
          Math.max(revision, firstVisible(head)),
          oldestVisible(head, Date.now()),
          count,
        ),
      ),
    streamBackFrom: (head: StreamHead, revision: number, count: number) =>
      rows(
        streamBackwards.values(
          head.id,
          revision,
          firstVisible(head),
          oldestVisible(head, Date.now()),
          count,
        ),
      ),
    /** One event, shown or not: what a link points to. */
    at: (stream: string, revision: number): Stored | undefined => {
      const found = head(stream)
      if (found === undefined || revision === TOMBSTONE) return undefined
      return rows(streamBackwards.values(found.id, revision, revision, 0, 1))[0]
    },
  }
}

export type Reader = ReturnType<typeof openReader>
