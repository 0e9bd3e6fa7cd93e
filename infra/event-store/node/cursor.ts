/** A place in the log or in one stream that moves forwards as it is asked; it keeps nothing but a number. */
import { badRequest } from "./failures.ts"
import type { Wanted } from "./filter.ts"
import { isSoftlyDeleted, type Reader } from "./reader.ts"
import type { Stored } from "./record.ts"
import type { Tail } from "./tail.ts"

export const PAGE = 128

export interface Page {
  readonly events: ReadonlyArray<Stored>
  /** How many events were looked at. */
  readonly scanned: number
}

export interface Cursor {
  /** The next events; none scanned means that the end has been reached. */
  readonly next: (count?: number) => Page
  /** What came last: a position of the log, or a revision of the stream. */
  readonly at: () => number
}

export const logCursor = (tail: Tail, after: number, isWanted: Wanted): Cursor => {
  let at = after
  return {
    next: (count = PAGE) => {
      const scanned = tail.after(at, count)
      at = scanned.at(-1)?.position ?? at
      return { events: scanned.filter(isWanted), scanned: scanned.length }
    },
    at: () => at,
  }
}

export const streamCursor = (
  reader: Reader,
  stream: string,
  after: number,
  onTombstone: (stream: string) => void = () => undefined,
): Cursor => {
  let at = after
  return {
    next: (count = PAGE) => {
      const head = reader.head(stream)
      if (head?.tombstoned) onTombstone(stream)
      if (head === undefined || head.tombstoned || head.last <= at || isSoftlyDeleted(head))
        return { events: [], scanned: 0 }
      const events = reader.streamFrom(head, at + 1, count)
      at = events.at(-1)?.revision ?? head.last
      return { events, scanned: events.length }
    },
    at: () => at,
  }
}

/** Client libraries send unsigned 64 bit numbers as text; revisions and positions here are below 2^53. */
export const numberOf = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0)) throw badRequest(`${text} is no revision or position`)
  return Math.min(value, Number.MAX_SAFE_INTEGER)
}
