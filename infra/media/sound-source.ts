/**
 * The sound of an MP4 as a stream of its own: the head with the sound's tracks alone, their chunk
 * offsets moved together, then their samples in the order of the file. So sound is encoded while the
 * source still arrives, and no byte of picture is read twice.
 */
import { Effect } from "effect"
import { boxesIn, keepTracks, moveChunks } from "./mp4-boxes.ts"
import type { ByteRange, Source } from "./port.ts"
import type { Running } from "./sandbox/sandbox.ts"
import { mergeRanges } from "./scratch.ts"
import type { OpenedIndex } from "./source-index.ts"

/** Gaps smaller than this are read and thrown away: a request costs more. */
const gapBytes = 256 * 1024
/** Small, so that sound is encoded as soon as its bytes are there. */
const blockBytes = 512 * 1024

interface Packed {
  readonly head: Buffer
  /** Of the source, in order; together they are the body. */
  readonly runs: ReadonlyArray<ByteRange>
}

/** `streams`: which of the tracks. */
export const packedSound = (index: OpenedIndex, streams: ReadonlyArray<number>): Packed => {
  const { audio, moreAudio, head } = index
  const tracks = (audio === null ? [] : [audio, ...moreAudio]).filter(({ stream }) =>
    streams.includes(stream),
  )
  const packets = tracks.flatMap(({ at, size }) =>
    at.map((from, i) => ({ from, to: Math.min(index.byteLength, from + (size[i] ?? 0)) })),
  )
  const runs = mergeRanges(
    packets.filter(({ from, to }) => from >= 0 && from < to),
    0,
  )
  const places = new Map<number, number>()
  let bodyBytes = 0
  for (const { from, to } of runs) {
    places.set(from, bodyBytes)
    bodyBytes += to - from
  }
  const starts = runs.map(({ from }) => from)
  const placeOf = (offset: number) => {
    let low = 0
    let high = starts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    const start = starts[low - 1] ?? 0
    return (places.get(start) ?? 0) + Math.max(0, offset - start)
  }
  const moovAt = [...boxesIn(head)].find(({ type }) => type === "moov")?.at ?? 0
  const shift = head.length + 16
  const kept = keepTracks(head.subarray(moovAt), streams)
  const moov = moveChunks(kept, (offset) => placeOf(offset) + shift)
  const body = Buffer.alloc(16)
  body.writeUInt32BE(1, 0)
  body.write("mdat", 4, "latin1")
  body.writeBigUInt64BE(BigInt(16 + bodyBytes), 8)
  return { head: Buffer.concat([head.subarray(0, moovAt), moov, body]), runs }
}

/** Blocks of the source that hold runs, each with those parts of it that are wanted. */
const blocksOf = (runs: ReadonlyArray<ByteRange>) => {
  const blocks: Array<{ range: { from: number; to: number }; parts: Array<ByteRange> }> = []
  for (const run of runs) {
    const last = blocks.at(-1)
    const joins =
      last !== undefined &&
      run.from - last.range.to <= gapBytes &&
      run.to - last.range.from <= blockBytes
    if (joins) {
      last.range.to = run.to
      last.parts.push(run)
    } else blocks.push({ range: { ...run }, parts: [run] })
  }
  return blocks
}

/** Writes it to a program that reads its standard input; waits for bytes that have not arrived. */
export const feedSound = Effect.fn("feedSound")(function* <E>(
  source: Source<E>,
  packed: Packed,
  running: Running,
) {
  let isRead = yield* running.write(packed.head)
  for (const { range, parts } of blocksOf(packed.runs)) {
    if (!isRead) break
    const bytes = yield* source.read(range)
    const wanted = parts.map(({ from, to }) => bytes.subarray(from - range.from, to - range.from))
    isRead = yield* running.write(Buffer.concat(wanted))
  }
  yield* running.endOfInput
})
