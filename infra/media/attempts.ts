/**
 * The ways of cutting a piece out of the source, tried in turn until the planned frames come: by
 * times; by count (times of the source that lie); from an earlier key frame (intra-refresh); the
 * whole file; and at last what a damaged source gives.
 */
import { countBelow } from "#domain/transcode/chunks.ts"
import { TICKS } from "#domain/transcode/facts.ts"
import type { Cut } from "./encode-arguments.ts"
import type { Encoded } from "./port.ts"
import { frameTicks, type OpenedIndex } from "./source-index.ts"
import type { Stretch } from "./sparse.ts"

export interface Attempt {
  readonly way: Encoded["way"]
  readonly isCounted: boolean
  /** Key frames before the nearest one; `null`: from the first byte. */
  readonly earlier: number | null
  readonly isTolerant: boolean
}

const byTimes: Attempt = { way: "sparse", isCounted: false, earlier: 0, isTolerant: false }
export const attempts: ReadonlyArray<Attempt> = [
  byTimes,
  { ...byTimes, way: "counted", isCounted: true },
  { ...byTimes, way: "pre-roll", earlier: 1 },
  { ...byTimes, way: "pre-roll", earlier: 2 },
  { ...byTimes, way: "whole", earlier: null },
  { ...byTimes, way: "damaged", earlier: null, isTolerant: true },
]

export interface Cutting {
  readonly cut: Cut
  /** Seconds on the source's timeline; `null`: decoding begins at the first byte. */
  readonly seek: number | null
  readonly stretch: Stretch
  /** Frames, lead-in included. */
  readonly decoded: number
}

/** ffmpeg rounds a time down to its own unit and would land a GOP earlier. */
const justAfter = 0.000_002

/** What an attempt decodes and keeps, in the source's own times, of an interval in ticks. */
export const cutOf = (
  index: OpenedIndex,
  from: number,
  to: number,
  attempt: Attempt = byTimes,
): Cutting => {
  const { frames, keys, cappedTo, timeBase } = index.video
  const [numerator, denominator] = timeBase
  const isCapped = cappedTo !== null
  const own = isCapped
    ? frames.map((pts) => Math.round((pts * numerator * TICKS) / denominator - index.zero))
    : frameTicks(index)
  const first = countBelow(own, from)
  const past = countBelow(own, to)
  const firstPts = frames[first] ?? frames.at(-1) ?? 0
  const nearest = countBelow(keys, firstPts + 1) - 1
  const place = attempt.earlier === null ? 0 : Math.max(0, nearest - attempt.earlier)
  const key = keys[place] ?? frames[0] ?? 0
  const leadIn = first - countBelow(frames, key)
  const isLast = past >= frames.length
  const byTime: Cut = isCapped
    ? { _tag: "ByTime", from, to: isLast ? null : to }
    : // What a file shows behind its last whole packet is none of its frames.
      { _tag: "ByTime", from: firstPts, to: frames[past] ?? (frames.at(-1) ?? firstPts) + 1 }
  return {
    cut: attempt.isCounted
      ? {
          _tag: "ByCount",
          from: leadIn,
          to: leadIn + past - first,
          step: Math.max(1, Math.round((to - from) / Math.max(1, past - first))),
        }
      : byTime,
    seek: place === 0 ? null : (key * numerator) / denominator + justAfter,
    // A frame more: what a filter of several frames looks at, and what is shown after the border.
    stretch: { key, until: frames[past + 1] ?? Number.POSITIVE_INFINITY },
    decoded: leadIn + past - first,
  }
}
