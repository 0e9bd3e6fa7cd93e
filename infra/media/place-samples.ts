/**
 * From an encoder's samples to segments: every sample gets the time that the plan gives its frame,
 * so that a joined video has the times of the source to the tick, whatever filters rounded.
 */
import { countBelow } from "#domain/transcode/chunks.ts"
import type { Sample } from "./cmaf.ts"

export interface Plan {
  /** Presentation times of the frames of the piece, in order. */
  readonly frames: ReadonlyArray<number>
  /** Number on the grid, first and past-last time of each segment of the piece. */
  readonly segments: ReadonlyArray<{
    readonly k: number
    readonly from: number
    readonly to: number
  }>
}

export type Placed = ReadonlyArray<ReadonlyArray<Sample>>

/** A filter's rounding, and the margin of a container that counts milliseconds. */
const tolerance = 100

/** By rank: sorted samples are the planned frames, each near its time; else `null`. */
const byRank = (samples: ReadonlyArray<Sample>, { frames }: Plan) => {
  if (samples.length !== frames.length) return null
  const order = samples.map((_, i) => i).sort((a, b) => timeOf(samples, a) - timeOf(samples, b))
  const times = new Map(order.map((sample, rank) => [sample, frames[rank] ?? 0]))
  return samples.map((sample, i) => ({ ...sample, pts: times.get(i) ?? sample.pts }))
}
const timeOf = (samples: ReadonlyArray<Sample>, i: number) => samples[i]?.pts ?? 0

const isNear = (samples: ReadonlyArray<Sample>, placed: ReadonlyArray<Sample>) =>
  samples.every(({ pts }, i) => Math.abs(pts - timeOf(placed, i)) <= tolerance)

const isDistinct = (samples: ReadonlyArray<Sample>) =>
  new Set(samples.map(({ pts }) => pts)).size === samples.length

/** Samples come in decode order; a segment's begin with its key frame. */
const inSegments = (samples: ReadonlyArray<Sample>, { segments }: Plan): Placed | null => {
  const parts = segments.map(({ from, to }) => samples.filter(({ pts }) => pts >= from && pts < to))
  const isWhole = parts.reduce((sum, part) => sum + part.length, 0) === samples.length
  return isWhole && parts.every(([first]) => first?.isKey === true) ? parts : null
}

/** The proof: as many as planned, at the planned times, a key frame first in each segment. */
export const placeExactly = (
  samples: ReadonlyArray<Sample>,
  plan: Plan,
  /** Cut by count, the source's own times may lie. */
  isCounted: boolean,
): Placed | null => {
  const placed = byRank(samples, plan)
  if (placed === null) return null
  const isTimed = isCounted ? isDistinct(samples) : isNear(samples, placed)
  if (!isTimed) return null
  return inSegments(placed, plan)
}

/** Of a damaged source: what came, at its own times; each segment begins when it should. */
export const placeRest = (samples: ReadonlyArray<Sample>, plan: Plan): Placed | null => {
  const end = plan.segments.at(-1)?.to ?? 0
  const known = samples.filter(({ pts }) => pts < end)
  const firsts = plan.segments.map(({ from, to }) =>
    Math.min(...known.filter(({ pts }) => pts >= from - tolerance && pts < to).map((s) => s.pts)),
  )
  const held = known.map((sample) => {
    const i = firsts.indexOf(sample.pts)
    const from = plan.segments[i]?.from
    return from === undefined ? sample : { ...sample, pts: from }
  })
  return isDistinct(held) ? inSegments(held, plan) : null
}

/** The plan of an interval. */
export const planOf = (
  timeline: {
    readonly grid: ReadonlyArray<number>
    readonly end: number
    readonly frames: ReadonlyArray<number>
  },
  from: number,
  to: number,
): Plan => {
  const { grid, end, frames } = timeline
  const segments = grid.flatMap((start, k) =>
    start >= from && start < to ? [{ k, from: start, to: grid[k + 1] ?? end }] : [],
  )
  return { frames: frames.slice(countBelow(frames, from), countBelow(frames, to)), segments }
}
