/**
 * Decides on appends, deletes and tombstones, inside the transaction of the writer. A repeated append is
 * recognised by its event ids: at the very revisions they would get when an exact one is expected,
 * anywhere in the stream otherwise.
 */
import type { Database } from "bun:sqlite"
import { isSoftlyDeleted, type Reader, type StreamHead } from "./reader.ts"
import {
  isMetastream,
  jsonBytes,
  limitsIn,
  metadataOf,
  metastreamOf,
  noBytes,
  originalOf,
  type Proposed,
  SOFTLY_DELETED,
  type Stored,
  TOMBSTONE,
  TOMBSTONE_TYPE,
} from "./record.ts"

export type Expectation = number | "none" | "any" | "exists"

export type Outcome =
  | { readonly _tag: "Written"; readonly revision: number; readonly position: number }
  /** `actual` is -1 when the stream does not exist. */
  | { readonly _tag: "WrongRevision"; readonly actual: number }
  | { readonly _tag: "Tombstoned" }

type Verdict = { readonly _tag: "Accepted" } | Outcome

const accepted: Verdict = { _tag: "Accepted" }
/** What an event takes in the log beside its texts and bytes, about. */
const OVERHEAD_BYTES = 96

const sizeOf = (stream: string, event: Proposed) =>
  OVERHEAD_BYTES +
  stream.length +
  event.type.length +
  event.data.byteLength +
  event.metadata.byteLength

export const openAppender = (db: Database, reader: Reader) => {
  const insertStream = db.query<{ id: number }, [string]>(
    "INSERT INTO streams (name, last) VALUES (?, -1) RETURNING id",
  )
  const insertEvent = db.query(
    `INSERT INTO events (position, stream, revision, id, type, is_json, data, metadata, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const setLast = db.query("UPDATE streams SET last = ? WHERE id = ?")
  const setTombstone = db.query("UPDATE streams SET tombstoned = 1 WHERE id = ?")
  const setLimits = db.query(
    "UPDATE streams SET max_age = ?, max_count = ?, truncate_before = ? WHERE id = ?",
  )
  const revisionsById = db.query<{ revision: number; position: number }, [number, string]>(
    "SELECT revision, position FROM events WHERE stream = ? AND id = ? ORDER BY revision DESC",
  )
  const byRevision = db.query<{ id: string; position: number }, [number, number]>(
    "SELECT id, position FROM events WHERE stream = ? AND revision = ?",
  )

  let end = reader.end()
  let fresh: Array<Stored> = []

  const streamId = (stream: string, head: StreamHead | undefined) =>
    head?.id ?? insertStream.get(stream)?.id ?? 0

  const insert = (stream: string, id: number, revision: number, event: Proposed): Stored => {
    end += sizeOf(stream, event)
    const { type, isJson, data, metadata } = event
    const stored = { ...event, position: end, stream, revision, createdAt: Date.now() }
    insertEvent.run(
      end,
      id,
      revision,
      event.id,
      type,
      isJson ? 1 : 0,
      data,
      metadata,
      stored.createdAt,
    )
    fresh.push(stored)
    return stored
  }

  const write = (stream: string, head: StreamHead | undefined, events: ReadonlyArray<Proposed>) => {
    const id = streamId(stream, head)
    let revision = head?.last ?? -1
    for (const event of events) {
      revision += 1
      insert(stream, id, revision, event)
    }
    setLast.run(revision, id)
    const newest = events.at(-1)
    if (isMetastream(stream) && newest !== undefined) {
      const original = originalOf(stream)
      const { maxAge, maxCount, truncateBefore } = limitsIn(metadataOf(newest))
      setLimits.run(maxAge, maxCount, truncateBefore, streamId(original, reader.head(original)))
    }
    return { _tag: "Written", revision, position: end } as const
  }

  /** Rewrites `$tb` and keeps the rest of a stream's metadata. */
  const truncate = (stream: string, before: number) => {
    const metastream = metastreamOf(stream)
    const head = reader.head(metastream)
    const known = head && reader.at(metastream, head.last)
    const metadata = { ...(known && metadataOf(known)), $tb: before }
    return write(metastream, head, [
      {
        id: crypto.randomUUID(),
        type: "$metadata",
        isJson: true,
        data: jsonBytes(metadata),
        metadata: noBytes,
      },
    ])
  }

  const repeatedAnywhere = (head: StreamHead, ids: ReadonlyArray<string>): Verdict => {
    let found: { revision: number; position: number } | undefined
    for (const id of ids) {
      const next = revisionsById.get(head.id, id)
      if (next === null)
        return found === undefined ? accepted : { _tag: "WrongRevision", actual: head.last }
      found = next
    }
    return found === undefined ? accepted : { _tag: "Written", ...found }
  }

  const repeatedAt = (head: StreamHead, expected: number, ids: ReadonlyArray<string>): Verdict => {
    let revision = expected
    let position = 0
    for (const id of ids) {
      revision += 1
      const there = byRevision.get(head.id, revision)
      if (there?.id !== id) {
        const mayBeginAgain = revision === 0 && isSoftlyDeleted(head)
        return mayBeginAgain ? accepted : { _tag: "WrongRevision", actual: head.last }
      }
      position = there.position
    }
    if (ids.length > 0) return { _tag: "Written", revision, position }
    return expected === -1 && isSoftlyDeleted(head)
      ? accepted
      : { _tag: "WrongRevision", actual: head.last }
  }

  const judge = (
    stream: string,
    head: StreamHead | undefined,
    expected: Expectation,
    ids: ReadonlyArray<string>,
  ): Verdict => {
    if (head?.tombstoned) return { _tag: "Tombstoned" }
    const last = head?.last ?? -1
    if (expected === "exists") {
      if (head !== undefined && isSoftlyDeleted(head)) return { _tag: "Tombstoned" }
      const hasMetadata = (reader.head(metastreamOf(stream))?.last ?? -1) >= 0
      if (last < 0 && !hasMetadata) return { _tag: "WrongRevision", actual: last }
    }
    if (expected === "any" || expected === "exists")
      return head === undefined ? accepted : repeatedAnywhere(head, ids)
    const wanted = expected === "none" ? -1 : expected
    if (wanted < last && head !== undefined) return repeatedAt(head, wanted, ids)
    return wanted > last ? { _tag: "WrongRevision", actual: last } : accepted
  }

  const append = (
    stream: string,
    expected: Expectation,
    events: ReadonlyArray<Proposed>,
  ): Outcome => {
    const head = reader.head(stream)
    const verdict = judge(
      stream,
      head,
      expected,
      events.map(({ id }) => id),
    )
    if (verdict._tag !== "Accepted") return verdict
    if (events.length === 0) return { _tag: "Written", revision: head?.last ?? -1, position: end }
    if (head !== undefined && isSoftlyDeleted(head)) truncate(stream, head.last + 1)
    return write(stream, head, events)
  }

  const softlyDelete = (stream: string, expected: Expectation): Outcome => {
    const verdict = judge(stream, reader.head(stream), expected, [])
    return verdict._tag === "Accepted" ? truncate(stream, SOFTLY_DELETED) : verdict
  }

  const tombstone = (stream: string, expected: Expectation): Outcome => {
    const head = reader.head(stream)
    const verdict = judge(stream, head, expected, [])
    if (verdict._tag !== "Accepted") return verdict
    const id = streamId(stream, head)
    const { position } = insert(stream, id, TOMBSTONE, {
      id: crypto.randomUUID(),
      type: TOMBSTONE_TYPE,
      isJson: true,
      data: noBytes,
      metadata: noBytes,
    })
    setTombstone.run(id)
    return { _tag: "Written", revision: TOMBSTONE, position }
  }

  return {
    append,
    softlyDelete,
    tombstone,
    truncate,
    end: () => end,
    /** What was written since the last call; the writer publishes it after the commit. */
    takeFresh: () => {
      const written = fresh
      fresh = []
      return written
    },
    /** After a rollback nothing of it was written. */
    forget: (committedEnd: number) => {
      fresh = []
      end = committedEnd
    },
  }
}

export type Appender = ReturnType<typeof openAppender>
