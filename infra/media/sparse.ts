/**
 * The local file that a piece is decoded from: the head of the source and the byte ranges from the
 * key frame to the last packet that shows before the piece ends, holes elsewhere, and nothing after
 * the last needed byte, so that ffmpeg sees a clean end.
 */
import { join } from "node:path"
import { Effect } from "effect"
import { boxesIn, keepTracks, moveChunks } from "./mp4-boxes.ts"
import type { ByteRange, Source } from "./port.ts"
import { mergeRanges, writeSparse } from "./scratch.ts"
import { KEY, type OpenedIndex } from "./source-index.ts"

/** Presentation times in the stream's time base: from the key frame, before the end. */
export interface Stretch {
  readonly key: number
  readonly until: number
}

export interface LocalFile {
  readonly path: string
  /** Which of its streams is the picture. */
  readonly map: string
  /** Made of a few ranges: probing it would read holes. */
  readonly isCut: boolean
}

/** Packets, in file order, from the key frame to the last one shown before the end. */
export const packetsOf = ({ video }: OpenedIndex, { key, until }: Stretch) => {
  const { pts, flags } = video.packets
  const found = pts.findIndex((time, i) => time === key && ((flags[i] ?? 0) & KEY) !== 0)
  const first = Math.max(0, found)
  const last = pts.findLastIndex((time) => time !== null && time < until)
  return { first, last: Math.max(first, last) }
}

/** Bytes of the source that a stretch needs beside the head; `null`: all. */
export const rangesOf = (index: OpenedIndex, stretch: Stretch): ReadonlyArray<ByteRange> | null => {
  if (index.cut !== "mp4") return null
  const { at, size } = index.video.packets
  const { first, last } = packetsOf(index, stretch)
  const ranges = at.slice(first, last + 1).map((from, i) => ({
    from,
    to: Math.min(index.byteLength, from + (size[first + i] ?? 0)),
  }))
  return mergeRanges(ranges.filter(({ from, to }) => from < to))
}

/** `mdat` of 64 bits around all that follows. */
const mdatHead = (bodyBytes: number) => {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1, 0)
  head.write("mdat", 4, "latin1")
  head.writeBigUInt64BE(BigInt(16 + bodyBytes), 8)
  return head
}

/** `ftyp`, the moov with the kept tracks and moved offsets, then the source as it lies. */
const mp4Head = ({ head }: OpenedIndex, tracks: ReadonlyArray<number>, bodyBytes: number) => {
  const moovAt = [...boxesIn(head)].find(({ type }) => type === "moov")?.at ?? 0
  const shift = head.length + 16
  const moov = moveChunks(keepTracks(head.subarray(moovAt), tracks), (offset) => offset + shift)
  const bytes = Buffer.concat([head.subarray(0, moovAt), moov, mdatHead(bodyBytes)])
  return { bytes, shift }
}

export const localFile = Effect.fn("localFile")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
  stretch: Stretch,
  directory: string,
) {
  const ranges = rangesOf(index, stretch)
  const stream = `0:${index.video.stream}`
  if (ranges === null) {
    const whole: LocalFile = { path: yield* source.whole, map: stream, isCut: false }
    return whole
  }
  const bodyBytes = ranges.at(-1)?.to ?? 0
  const { bytes, shift } = mp4Head(index, [index.video.stream], bodyBytes)
  const path = yield* writeSparse(
    join(directory, "picture.sparse"),
    shift + bodyBytes,
    [{ at: 0, bytes }],
    source,
    ranges.map((range) => ({ range, shift })),
  )
  const local: LocalFile = { path, map: "0:v:0", isCut: true }
  return local
})
