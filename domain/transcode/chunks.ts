/**
 * Splits a video into pieces: intervals of the grid, the unit of encoding. Nothing is cut: a piece
 * is decoded from the last key frame before it, and what comes before its border is dropped. So its
 * borders are chosen near key frames, and no piece is shorter than the lead-in it pays for.
 */
import type { Piece } from "#domain/scheduling/events.ts"
import { type Rung, TICKS } from "./facts.ts"

export type PlannedPiece = Piece &
  Required<Pick<Piece, "from" | "to" | "frames" | "keyPts" | "groups">>

export interface Timeline {
  /** Segment starts, ticks. */
  readonly grid: ReadonlyArray<number>
  readonly end: number
  /** Presentation times of all frames, in order. */
  readonly frames: ReadonlyArray<number>
  /** Presentation times of key frames, in order; those before 0 are decoded, not shown. */
  readonly keys: ReadonlyArray<number>
}

const ideal = 8 * TICKS
const shortest = 4 * TICKS
const longest = 12 * TICKS

/** How many of these ordered numbers are below the limit. */
export const countBelow = (ordered: ReadonlyArray<number>, limit: number): number => {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ordered[middle] ?? Number.POSITIVE_INFINITY) < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** The last key frame at or before a time; where there is none, the first. */
export const keyBefore = (keys: ReadonlyArray<number>, tick: number, earlier = 0): number =>
  keys[Math.max(0, countBelow(keys, tick + 1) - 1 - earlier)] ?? 0

const nextBorder = ({ grid, end, keys }: Timeline, at: number): number => {
  const lead = (tick: number) => (tick === end ? 0 : Math.max(0, tick - keyBefore(keys, tick)))
  const low = Math.max(shortest, lead(at))
  const high = Math.max(longest, low + shortest)
  if (end - at <= high) return end
  const cost = (tick: number) => 0.25 * lead(tick) + 0.1 * Math.abs(tick - at - ideal)
  const later = grid.slice(countBelow(grid, at + 1))
  const candidates = later.filter((tick) => tick >= at + low && tick <= at + high)
  const [first] = candidates
  if (first === undefined) return later.find((tick) => tick > at + high) ?? end
  return candidates.reduce((best, tick) => (cost(tick) < cost(best) ? tick : best), first)
}

/** Borders of all pieces, the end included: pieces 0 and 1 are segments 0 and 1. */
const bordersOf = (timeline: Timeline): ReadonlyArray<number> => {
  const { grid, end } = timeline
  const borders = grid.slice(0, 3)
  if (grid.length <= 2) return [...borders, end]
  let at = borders.at(-1) ?? end
  while (at < end) {
    at = nextBorder(timeline, at)
    borders.push(at)
  }
  return borders
}

/** Every rung that no other group of the piece has, from one decode. */
export const WHOLE_LADDER = "all"

/**
 * Who encodes pieces 0 and 1: the rung that can be watched soonest alone, the others from one decode.
 * Soonest is a copied one, which needs no encoder, else the lowest.
 */
export const firstGroups = (
  rungs: ReadonlyArray<Pick<Rung, "group" | "copied">>,
): ReadonlyArray<string> => {
  const [lowest, ...others] = rungs
  if (lowest === undefined) return []
  const soonest = rungs.find(({ copied }) => copied !== undefined) ?? lowest
  return others.length === 0 ? [lowest.group] : [soonest.group, WHOLE_LADDER]
}

/** Whether a step of this group makes this rung of a piece; a step without a group makes all. */
export const makes = (
  own: string | undefined,
  { groups = [] }: Pick<Piece, "groups">,
  rung: string,
) => own === undefined || own === rung || (own === WHOLE_LADDER && !groups.includes(rung))

export const planPieces = (
  timeline: Timeline,
  rungGroups: ReadonlyArray<string>,
): ReadonlyArray<PlannedPiece> => {
  const borders = bordersOf(timeline)
  return borders.slice(0, -1).map((from, n) => {
    const to = borders[n + 1] ?? timeline.end
    const first = countBelow(timeline.frames, from)
    return {
      n,
      from,
      to,
      frames: countBelow(timeline.frames, to) - first,
      keyPts: keyBefore(timeline.keys, timeline.frames[first] ?? from),
      groups: n < 2 ? rungGroups : [WHOLE_LADDER],
    }
  })
}
