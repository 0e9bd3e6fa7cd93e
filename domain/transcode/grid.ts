/**
 * The grid: where the segments of a video begin, the same for all its renditions, in ticks. It is
 * fixed once and kept as data. A segment begins with the first frame at or after a border, so an
 * interval without frames makes no segment: the one before it lasts longer.
 */
import { TICKS } from "./facts.ts"

/** A player never reached the end of a video whose last segment was 0.2 s. */
const shortestTail = TICKS

const short = 2 * TICKS
const long = 4 * TICKS

/** 0, 2, 4, then every 4 s: the first two are short, so that they are soon there. */
const borderAfter = (border: number): number => border + (border < long ? short : long)

/** `frames`: presentation times in order; `end`: where the last one ends. */
export const fixedGrid = (frames: ReadonlyArray<number>, end: number): ReadonlyArray<number> => {
  const starts: Array<number> = []
  let border = 0
  for (const frame of frames) {
    if (frame < border) continue
    starts.push(starts.length === 0 ? Math.min(frame, 0) : frame)
    while (border <= frame) border = borderAfter(border)
  }
  const last = starts.at(-1)
  if (starts.length > 1 && last !== undefined && end - last < shortestTail) starts.pop()
  return starts
}

/** x264's own choice, 250 frames, at 23.976 frames/s: 10.43 s. */
const longestGroup = 10.5 * TICKS

/**
 * Of a source whose coded pictures may be shown as they are: its key frames at least 2 s apart.
 * `null`: there is none for too long.
 */
export const keyGrid = (keys: ReadonlyArray<number>, end: number): ReadonlyArray<number> | null => {
  const starts: Array<number> = []
  for (const key of keys) {
    const last = starts.at(-1)
    if (last === undefined || key - last >= short) starts.push(key)
  }
  if (starts.length === 0 || starts.some((at, k) => (starts[k + 1] ?? end) - at > longestGroup))
    return null
  const last = starts.at(-1)
  if (starts.length > 1 && last !== undefined && end - last < shortestTail) starts.pop()
  return starts
}

/** The grid of the sound: as the video's, and on by long segments where it outlasts the video. */
export const soundGrid = (
  grid: ReadonlyArray<number>,
  videoEnd: number,
  soundEnd: number,
): ReadonlyArray<number> => {
  const starts = [...grid]
  for (let at = videoEnd; soundEnd - at >= shortestTail; at += long) starts.push(at)
  return starts
}

/** The number of the segment that holds this time; before the first: 0. */
export const segmentAt = (grid: ReadonlyArray<number>, tick: number): number => {
  let low = 0
  let high = grid.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((grid[middle] ?? Number.POSITIVE_INFINITY) <= tick) low = middle
    else high = middle - 1
  }
  return low
}

/** Of playlists, seconds: covers the longest segment of video and sound. */
export const targetDurationOf = (grid: ReadonlyArray<number>, end: number): number => {
  const longest = grid.reduce(
    (known, start, k) => Math.max(known, (grid[k + 1] ?? end) - start),
    long + shortestTail,
  )
  return Math.ceil(longest / TICKS)
}
