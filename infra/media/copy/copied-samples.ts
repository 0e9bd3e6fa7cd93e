/**
 * The coded pictures of a piece as they are published, proven against its plan: the planned frames
 * at the planned times, each segment beginning with an IDR picture and keeping to its interval. Pure.
 */
import type { Sample } from "../cmaf.ts"
import type { Placed, Plan } from "../place-samples.ts"
import type { ByteRange } from "../port.ts"
import { HIDDEN, type OpenedIndex } from "../source-index.ts"
import { type KnownSets, published } from "./access-unit.ts"
import { publishedTick } from "./qualify.ts"
import { refuse } from "./refused.ts"

export interface CodedSample {
  readonly tick: number
  readonly range: ByteRange
}

/** Where the pictures of a piece lie, in decode order. */
export const samplesIn = (
  index: OpenedIndex,
  from: number,
  to: number,
): ReadonlyArray<CodedSample> => {
  const { pts, size, at, flags } = index.video.packets
  return pts.flatMap((time, i) => {
    if (time === null || ((flags[i] ?? 0) & HIDDEN) !== 0) return []
    const tick = publishedTick(index, time)
    const start = at[i] ?? 0
    return tick < from || tick >= to
      ? []
      : [{ tick, range: { from: start, to: start + (size[i] ?? 0) } }]
  })
}

/** Throws `CopyRefused`. */
export const copiedSamples = (
  samples: ReadonlyArray<CodedSample>,
  bytesOf: (range: ByteRange) => Buffer,
  known: KnownSets,
  { frames, segments }: Plan,
): Placed => {
  const placed: Array<Array<Sample>> = []
  for (const { tick, range } of samples) {
    const { data, isIdr } = published(bytesOf(range), known)
    const next = segments[placed.length]
    if (tick === next?.from) {
      if (!isIdr) refuse("not-idr", tick)
      placed.push([])
    }
    const current = segments[placed.length - 1]
    if (current === undefined || tick < current.from || tick >= current.to)
      refuse("segment-leaks", tick)
    placed.at(-1)?.push({ pts: tick, isKey: isIdr, data })
  }
  if (placed.length !== segments.length) refuse("grid", `${placed.length} of ${segments.length}`)
  const times = samples.map(({ tick }) => tick).sort((a, b) => a - b)
  if (times.length !== frames.length || times.some((tick, i) => tick !== frames[i]))
    refuse("frames", `${times.length} of ${frames.length}`)
  return placed
}
