/** An event as the node keeps it, and the names of the streams that the node itself writes. */

export interface Stored {
  /** Grows by the size of what was written, so it has gaps like those of the real server. */
  readonly position: number
  readonly stream: string
  /** -1 in a tombstone; it is shown as the largest revision there is. */
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly isJson: boolean
  readonly data: Uint8Array
  readonly metadata: Uint8Array
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

export interface Proposed {
  readonly id: string
  readonly type: string
  readonly isJson: boolean
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** `$maxAge` (seconds), `$maxCount` and `$tb` of a stream. */
export interface Limits {
  readonly maxAge: number | null
  readonly maxCount: number | null
  readonly truncateBefore: number | null
}

/** A `$tb` that no revision reaches: the stream is deleted, and may be written again. */
export const SOFTLY_DELETED = Number.MAX_SAFE_INTEGER
export const TOMBSTONE = -1
export const TOMBSTONE_TYPE = "$streamDeleted"
export const LINK_TYPE = "$>"

export const metastreamOf = (stream: string) => `$$${stream}`
export const isMetastream = (stream: string) => stream.startsWith("$$")
export const originalOf = (metastream: string) => metastream.slice(2)

const encoder = new TextEncoder()
const decoder = new TextDecoder()
export const noBytes = new Uint8Array(0)

export const jsonBytes = (value: unknown) => encoder.encode(JSON.stringify(value))
export const textOf = (bytes: Uint8Array) => decoder.decode(bytes)

const objectOf = (bytes: Uint8Array): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(textOf(bytes))
    return typeof value === "object" && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

/** The stream metadata in the data of a `$metadata` event; what is not JSON limits nothing. */
export const metadataOf = (event: Pick<Proposed, "data">) => objectOf(event.data)

const natural = (value: unknown) =>
  typeof value === "number" && value >= 0 ? Math.min(value, SOFTLY_DELETED) : null

export const limitsIn = (metadata: Record<string, unknown>): Limits => ({
  maxAge: natural(metadata.$maxAge),
  maxCount: natural(metadata.$maxCount),
  truncateBefore: natural(metadata.$tb),
})

/** The stream and revision that a link event names. */
export const linkTarget = (link: Pick<Stored, "data">) => {
  const text = textOf(link.data)
  const at = text.indexOf("@")
  return { stream: text.slice(at + 1), revision: Number(text.slice(0, at)) }
}
