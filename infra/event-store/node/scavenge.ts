/**
 * Deletes what nobody can read any more: what `$maxAge`, `$maxCount` and `$tb` have hidden. In small
 * transactions, so that appends pass between them. The last event of the log stays: the next position follows from it.
 */
import type { Database } from "bun:sqlite"
import { aMoment } from "./calls.ts"
import type { Tail } from "./tail.ts"
import type { Writer } from "./writer.ts"

/** Streams that hide something; of a metastream only its last event counts. */
const LIMITED = `
  SELECT id, last, max_age, truncate_before,
    CASE WHEN name LIKE '$$%' THEN 1 ELSE max_count END AS max_count
  FROM streams
  WHERE max_age IS NOT NULL OR max_count IS NOT NULL OR truncate_before IS NOT NULL OR name LIKE '$$%'
`

interface Limited {
  readonly id: number
  readonly last: number
  readonly max_age: number | null
  readonly max_count: number | null
  readonly truncate_before: number | null
}

const AT_ONCE = 500

export const openScavenger = (db: Database, tail: Tail, writer: Writer) => {
  const limited = db.query<Limited, []>(LIMITED)
  const expired = db.query<unknown, [number, number, number, number, number]>(
    `DELETE FROM events WHERE position IN (
       SELECT position FROM events
       WHERE stream = ? AND revision >= 0 AND (revision < ? OR created_at < ?) AND position < ? LIMIT ?)`,
  )

  const sweep = async (stream: Limited) => {
    const first = Math.max(
      stream.truncate_before ?? 0,
      stream.max_count === null ? 0 : stream.last - stream.max_count + 1,
    )
    const oldest = stream.max_age === null ? 0 : Date.now() - stream.max_age * 1000
    let deleted = 0
    for (;;) {
      const { changes } = await writer.submit(() =>
        expired.run(stream.id, first, oldest, tail.end(), AT_ONCE),
      )
      deleted += changes
      if (changes < AT_ONCE) return deleted
      await aMoment()
    }
  }

  /** Answers how many events are gone. */
  const scavenge = async (isWanted: () => boolean = () => true) => {
    let deleted = 0
    for (const stream of limited.all()) {
      if (!isWanted()) break
      deleted += await sweep(stream)
    }
    return deleted
  }

  return scavenge
}

export type Scavenge = ReturnType<typeof openScavenger>
