/** What an index alone tells of coded pictures: how far they are reordered, and rates per segment. Pure. */
import { TICKS } from "#domain/transcode/facts.ts"
import { segmentAt } from "#domain/transcode/grid.ts"

/** In decode order; shown ones only. */
export interface CodedPicture {
  readonly tick: number
  readonly bytes: number
  readonly isKey: boolean
}

export interface Measured {
  /** Pictures decoded before one that is shown before them, at most. */
  readonly reorder: number
  /** Pictures that need one before the key picture they follow. */
  readonly leading: number
  readonly isDistinct: boolean
  readonly bitsPerSecond: number
  readonly framesPerSecond: number
  /** Of segments that last a second or more. */
  readonly peakBitsPerSecond: number
  readonly peakFramesPerSecond: number
}

/** H.264 allows 16. */
const farthest = 32
const shortest = TICKS

const reorderOf = (pictures: ReadonlyArray<CodedPicture>): number => {
  let most = 0
  for (const [i, { tick }] of pictures.entries()) {
    let later = 0
    for (let j = Math.max(0, i - farthest); j < i; j++) {
      if ((pictures[j]?.tick ?? tick) > tick) later += 1
    }
    most = Math.max(most, later)
  }
  return most
}

const leadingOf = (pictures: ReadonlyArray<CodedPicture>): number => {
  let key = Number.NEGATIVE_INFINITY
  let leading = 0
  for (const { tick, isKey } of pictures) {
    if (isKey) key = tick
    else if (tick < key) leading += 1
  }
  return leading
}

export const measure = (
  pictures: ReadonlyArray<CodedPicture>,
  grid: ReadonlyArray<number>,
  end: number,
): Measured => {
  const bytes = grid.map(() => 0)
  const frames = grid.map(() => 0)
  for (const picture of pictures) {
    const k = segmentAt(grid, picture.tick)
    bytes[k] = (bytes[k] ?? 0) + picture.bytes
    frames[k] = (frames[k] ?? 0) + 1
  }
  const seconds = Math.max(1, end - (grid[0] ?? 0)) / TICKS
  const bitsPerSecond = (8 * bytes.reduce((sum, one) => sum + one, 0)) / seconds
  const framesPerSecond = pictures.length / seconds
  const peak = (whole: number, parts: ReadonlyArray<number>) =>
    parts.reduce((most, part, k) => {
      const ticks = (grid[k + 1] ?? end) - (grid[k] ?? 0)
      return ticks < shortest ? most : Math.max(most, (part * TICKS) / ticks)
    }, whole)
  return {
    reorder: reorderOf(pictures),
    leading: leadingOf(pictures),
    isDistinct: new Set(pictures.map(({ tick }) => tick)).size === pictures.length,
    bitsPerSecond: Math.ceil(bitsPerSecond),
    framesPerSecond,
    peakBitsPerSecond: Math.ceil(
      peak(
        bitsPerSecond,
        bytes.map((part) => 8 * part),
      ),
    ),
    peakFramesPerSecond: peak(framesPerSecond, frames),
  }
}
