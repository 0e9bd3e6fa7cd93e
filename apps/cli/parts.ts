/**
 * How a file is cut into parts and in which order they go. Parts follow the file; the order puts
 * the index (an MP4's `moov`) first, wherever it lies, because encoding can begin with it. The
 * first parts are small: the first seconds of the video are there after a few hundred kilobytes.
 */

export interface Range {
  readonly offset: number
  readonly length: number
}

export interface PlannedParts {
  /** Tiles the file, in its order; the number of a part is its place, from 1. */
  readonly parts: ReadonlyArray<Range>
  /** Numbers of the parts that hold the index. */
  readonly first: ReadonlyArray<number>
}

const KIB = 1024
const PART_BYTES = 8 * 1024 * KIB
const FIRST_BYTES = [512 * KIB, 512 * KIB, 1024 * KIB, 2048 * KIB, 4096 * KIB]

/** A file of less is sent so fast that small parts only cost requests. */
const SMALL_FILE_BYTES = PART_BYTES

const cut = (from: number, to: number, sizes: ReadonlyArray<number>): ReadonlyArray<Range> => {
  const ranges: Array<Range> = []
  for (let offset = from; offset < to; ) {
    const length = Math.min(to - offset, sizes[ranges.length] ?? PART_BYTES)
    ranges.push({ offset, length })
    offset += length
  }
  return ranges
}

/** `index`: where the file's index lies, if that is known; its parts hold nothing else. */
export const planParts = (byteLength: number, index: Range | undefined): PlannedParts => {
  const start = index?.offset ?? byteLength
  const end = index === undefined ? byteLength : index.offset + index.length
  const sizes = byteLength <= SMALL_FILE_BYTES ? [] : FIRST_BYTES
  const before = cut(0, start, sizes)
  const inside = cut(start, end, [])
  // What follows an index at the beginning is the beginning of the film.
  const after = cut(end, byteLength, before.length > 1 ? [] : sizes)
  return {
    parts: [...before, ...inside, ...after],
    first: inside.map((_, place) => before.length + place + 1),
  }
}

/** Reads bytes of the file; fewer at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>

const MOST_BOXES = 1000

const headerOf = (bytes: Uint8Array, left: number) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = String.fromCharCode(...bytes.subarray(4, 8))
  const size = view.getUint32(0)
  if (size === 1) return { type, size: bytes.byteLength < 16 ? 0 : Number(view.getBigUint64(8)) }
  return { type, size: size === 0 ? left : size }
}

/** Walks the boxes of an MP4 to its `moov`. Anything odd means: no MP4, or none we should judge. */
export const findIndex = async (read: ReadAt, byteLength: number): Promise<Range | undefined> => {
  let offset = 0
  for (let boxes = 0; boxes < MOST_BOXES && offset + 8 <= byteLength; boxes += 1) {
    const bytes = await read(offset, 16)
    if (bytes.byteLength < 8) return undefined
    const { type, size } = headerOf(bytes, byteLength - offset)
    const isSound = size >= 8 && offset + size <= byteLength && /^[\x20-\x7e]{4}$/.test(type)
    if (!isSound || (boxes === 0 && type !== "ftyp")) return undefined
    if (type === "moov") return { offset, length: size }
    offset += size
  }
  return undefined
}
