/**
 * The head of a segment as the platform writes it, read without its media: `styp moof`, one track,
 * one run, every sample with its own duration, size, flags and offset.
 */

export interface SegmentHead {
  readonly decodeTime: number
  readonly sampleCount: number
  /** Bytes from the segment's first: where the rows of its samples begin, and its media. */
  readonly rowsAt: number
  readonly mediaAt: number
}

export interface SampleRow {
  readonly duration: number
  readonly size: number
  readonly isKey: boolean
  readonly offset: number
}

export const ROW_BYTES = 16
const ROW_FLAGS = 0xf01
const NOT_SYNC = 0x10000
const HEAD_BYTES = 8
const WITHIN: ReadonlyArray<string> = ["moof", "traf"]

export const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const typeAt = (view: DataView, at: number): string =>
  String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)))

/** Walks by sizes, for boxes reach beyond the bytes that were read. `null`: no such segment, or too few bytes. */
export const segmentHead = (bytes: Uint8Array): SegmentHead | null => {
  const view = viewOf(bytes)
  let moofAt = -1
  let decodeTime = -1
  for (let at = 0; at + HEAD_BYTES + 12 <= bytes.length; ) {
    const [size, type, body] = [view.getUint32(at), typeAt(view, at), at + HEAD_BYTES]
    if (size < HEAD_BYTES) return null
    if (type === "moof") moofAt = at
    if (type === "tfdt" && view.getUint8(body) === 1) {
      decodeTime = Number(view.getBigUint64(body + 4))
    }
    if (type === "trun") {
      if (view.getUint32(body) !== ROW_FLAGS || moofAt < 0 || decodeTime < 0) return null
      const sampleCount = view.getUint32(body + 4)
      const mediaAt = moofAt + view.getInt32(body + 8)
      const rowsAt = body + 12
      const fits = rowsAt + sampleCount * ROW_BYTES <= mediaAt
      return fits ? { decodeTime, sampleCount, rowsAt, mediaAt } : null
    }
    at = WITHIN.includes(type) ? body : at + size
  }
  return null
}

export const rowAt = (view: DataView, { rowsAt }: SegmentHead, i: number): SampleRow => {
  const at = rowsAt + i * ROW_BYTES
  return {
    duration: view.getUint32(at),
    size: view.getUint32(at + 4),
    isKey: (view.getUint32(at + 8) & NOT_SYNC) === 0,
    offset: view.getUint32(at + 12),
  }
}

/** So many bytes of a segment tell how far its first picture reaches. */
export const FIRST_ROW_BYTES = 192

/** The bytes that decode to the first picture. `null`: it is no key picture. */
export const keyPictureBytes = (bytes: Uint8Array): number | null => {
  const head = segmentHead(bytes)
  if (head === null || head.sampleCount === 0 || head.rowsAt + ROW_BYTES > bytes.length) return null
  const { isKey, size } = rowAt(viewOf(bytes), head, 0)
  return isKey ? head.mediaAt + size : null
}
