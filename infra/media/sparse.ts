/**
 * The local file that a piece is decoded from: the head of the source and the byte ranges from the
 * key frame to the last packet that shows before the piece ends, holes elsewhere, and nothing after
 * the last needed byte, so that ffmpeg sees a clean end.
 */
import { join } from "node:path"
import { Effect } from "effect"
import { boxesIn, keepTracks, moveChunks } from "./mp4-boxes.ts"
import type { ByteRange, Source } from "./port.ts"
import { fillerOf, runOf } from "./runs.ts"
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
  /** Laid out as the source is, so ffmpeg seeks to the key frame; else it is the first thing there. */
  readonly seeks: boolean
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

const mp4Ranges = (index: OpenedIndex, stretch: Stretch): ReadonlyArray<ByteRange> => {
  const { at, size } = index.video.packets
  const { first, last } = packetsOf(index, stretch)
  const ranges = at.slice(first, last + 1).map((from, i) => ({
    from,
    to: Math.min(index.byteLength, from + (size[first + i] ?? 0)),
  }))
  return mergeRanges(ranges.filter(({ from, to }) => from < to))
}

/** Bytes of the source that a stretch needs, of MP4 beside the head; `null`: all. */
export const rangesOf = (index: OpenedIndex, stretch: Stretch): ReadonlyArray<ByteRange> | null => {
  if (index.cut === "whole") return null
  if (index.cut === "mp4") return mp4Ranges(index, stretch)
  const { first, last } = packetsOf(index, stretch)
  const { head, run } = runOf(index, first, last)
  return mergeRanges([{ from: 0, to: head }, run], 0)
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

const writeLocal = Effect.fn("writeLocal")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
  ranges: ReadonlyArray<ByteRange>,
  path: string,
) {
  const bodyBytes = ranges.at(-1)?.to ?? 0
  const { bytes, shift } = mp4Head(index, [index.video.stream], bodyBytes)
  const copied = ranges.map((range) => ({ range, shift }))
  yield* writeSparse(path, shift + bodyBytes, [{ at: 0, bytes }], source, copied)
  const local: LocalFile = { path, map: "0:v:0", seeks: true, isCut: true }
  return local
})

export const wholeFile = Effect.fn("wholeFile")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
) {
  const local: LocalFile = {
    path: yield* source.whole,
    map: `0:${index.video.stream}`,
    seeks: true,
    isCut: false,
  }
  return local
})

/** Of containers that are read in the order of the file: the head, what fills the hole, the run. */
const writeRun = Effect.fn("writeRun")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
  stretch: Stretch,
  path: string,
) {
  const { first, last } = packetsOf(index, stretch)
  const { head, run } = runOf(index, first, last)
  const filler = fillerOf(index.cut, run.from - head)
  const shift = filler === null ? head - run.from : 0
  const placed = filler === null ? [] : [{ at: head, bytes: filler }]
  const copied = [
    { range: { from: 0, to: head }, shift: 0 },
    { range: run, shift },
  ]
  yield* writeSparse(path, run.to + shift, placed, source, copied)
  const local: LocalFile = { path, map: `0:${index.video.stream}`, seeks: false, isCut: true }
  return local
})

export const localFile = Effect.fn("localFile")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
  stretch: Stretch,
  directory: string,
) {
  const path = join(directory, "picture.sparse")
  switch (index.cut) {
    case "whole":
      return yield* wholeFile(source, index)
    case "mp4":
      return yield* writeLocal(source, index, mp4Ranges(index, stretch), path)
    default:
      return yield* writeRun(source, index, stretch, path)
  }
})

/** Key frames alone, for pictures of the whole video; where it can be cut, only those wanted. */
export const keyFramesFile = Effect.fn("keyFramesFile")(function* <E>(
  source: Source<E>,
  index: OpenedIndex,
  directory: string,
  isWanted: (pts: number | null) => boolean = () => true,
) {
  if (index.cut !== "mp4") return yield* wholeFile(source, index)
  const { at, size, flags, pts } = index.video.packets
  const ranges = at.flatMap((from, i) =>
    ((flags[i] ?? 0) & KEY) === 0 || !isWanted(pts[i] ?? null)
      ? []
      : [{ from, to: from + (size[i] ?? 0) }],
  )
  const path = join(directory, "key-frames.sparse")
  return yield* writeLocal(source, index, mergeRanges(ranges), path)
})
