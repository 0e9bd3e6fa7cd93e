/** The facts of all pieces put together: each rendition as one row of segments, proven to have no gap, and measured. */
import { Result } from "effect"
import { type EncodedPiece, type Packaged, type Segment, TICKS } from "#domain/transcode/facts.ts"
import { SegmentsDisagree } from "./stage.ts"

export interface Rendition {
  readonly rung: string
  readonly initBytes: number
  readonly segments: ReadonlyArray<Segment>
}

/** The sound's own clock is not 90 kHz: its times are rounded. */
const ROUNDING = 2

const byNumber = (segments: ReadonlyArray<Segment>) => [...segments].sort((a, b) => a.k - b.k)

export const joined = (rung: string, pieces: ReadonlyArray<EncodedPiece>): Rendition => {
  const told = pieces.flatMap((piece) => piece.rungs.filter((it) => it.rung === rung))
  return {
    rung,
    initBytes: told[0]?.initBytes ?? 0,
    segments: byNumber(told.flatMap(({ segments }) => segments)),
  }
}

/** From 0, each segment where the one before ends, no number twice, none empty. */
export const withoutGap = ({
  rung,
  segments,
}: Rendition): Result.Result<void, SegmentsDisagree> => {
  let end = segments[0]?.start ?? 0
  let last = -1
  if (segments.length === 0) return Result.fail(new SegmentsDisagree({ rung, k: 0 }))
  for (const { k, start, duration, bytes } of segments) {
    const fits = k > last && duration > 0 && bytes > 0 && Math.abs(start - end) <= ROUNDING
    if (!fits) return Result.fail(new SegmentsDisagree({ rung, k }))
    end = start + duration
    last = k
  }
  return Result.succeed(undefined)
}

/** A player that changes rungs must find the same border there. */
export const aligned = (
  one: Rendition,
  other: Rendition,
): Result.Result<void, SegmentsDisagree> => {
  const at = Math.max(one.segments.length, other.segments.length)
  for (let index = 0; index < at; index += 1) {
    const [a, b] = [one.segments[index], other.segments[index]]
    const same = a?.k === b?.k && a?.start === b?.start && a?.duration === b?.duration
    if (!same) return Result.fail(new SegmentsDisagree({ rung: other.rung, k: b?.k ?? a?.k ?? 0 }))
  }
  return Result.succeed(undefined)
}

const rate = (bytes: number, ticks: number) => Math.ceil((bytes * 8 * TICKS) / Math.max(1, ticks))

/** RFC 8216 §4.1: the largest rate of consecutive segments that last half to one and a half times the target. */
const peakOf = (segments: ReadonlyArray<Segment>, targetDuration: number): number => {
  let peak = 0
  for (let first = 0; first < segments.length; first += 1) {
    let [bytes, ticks] = [0, 0]
    for (const segment of segments.slice(first)) {
      bytes += segment.bytes
      ticks += segment.duration
      if (ticks > targetDuration * 1.5 * TICKS) break
      if (ticks >= targetDuration * 0.5 * TICKS) peak = Math.max(peak, rate(bytes, ticks))
    }
  }
  return peak
}

export const measured = (
  { rung, initBytes, segments }: Rendition,
  targetDuration: number,
): Packaged["rungs"][number] => {
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  const ticks = segments.reduce((sum, { duration }) => sum + duration, 0)
  const averageBitsPerSecond = rate(bytes, ticks)
  return {
    rung,
    averageBitsPerSecond,
    peakBitsPerSecond: Math.max(peakOf(segments, targetDuration), averageBitsPerSecond),
    segmentCount: segments.length,
    bytes: bytes + initBytes,
  }
}
