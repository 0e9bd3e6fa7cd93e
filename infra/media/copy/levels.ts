/** H.264 table A-1: the level that a source needs, which is not always the one it claims. */
import { refuse } from "./refused.ts"
import type { SequenceSet } from "./sequence-set.ts"

type Level = readonly [
  level: number,
  macroblocksPerSecond: number,
  macroblocks: number,
  bufferMacroblocks: number,
  kilobitsPerSecond: number,
]
const levels: ReadonlyArray<Level> = [
  [10, 1_485, 99, 396, 64],
  [11, 3_000, 396, 900, 192],
  [12, 6_000, 396, 2_376, 384],
  [13, 11_880, 396, 2_376, 768],
  [20, 11_880, 396, 2_376, 2_000],
  [21, 19_800, 792, 4_752, 4_000],
  [22, 20_250, 1_620, 8_100, 4_000],
  [30, 40_500, 1_620, 8_100, 10_000],
  [31, 108_000, 3_600, 18_000, 14_000],
  [32, 216_000, 5_120, 20_480, 20_000],
  [40, 245_760, 8_192, 32_768, 20_000],
  [41, 245_760, 8_192, 32_768, 50_000],
  [42, 522_240, 8_704, 34_816, 50_000],
  [50, 589_824, 22_080, 110_400, 135_000],
  [51, 983_040, 36_864, 184_320, 240_000],
  [52, 2_073_600, 36_864, 184_320, 240_000],
]
const HIGH = 100
/** 30 frames/s told in whole ticks is a little more than 30. */
const rounding = 1.005
const mostHeld = 16

const macroblocksOf = ({ codedWidth, codedHeight }: SequenceSet) => (codedWidth * codedHeight) / 256

export interface Demand {
  readonly framesPerSecond: number
  readonly bitsPerSecond: number
  /** Pictures that a decoder holds. */
  readonly buffering: number
}

export const levelFor = (sequence: SequenceSet, demand: Demand): number => {
  const { codedWidth, codedHeight, profile } = sequence
  const macroblocks = macroblocksOf(sequence)
  const share = profile === HIGH ? 1.25 : 1
  const fits = levels.find(
    ([, perSecond, most, buffer, kilobits]) =>
      macroblocks <= most &&
      macroblocks * demand.framesPerSecond <= perSecond * rounding &&
      demand.buffering * macroblocks <= buffer &&
      demand.bitsPerSecond <= kilobits * 1000 * share &&
      Math.max(codedWidth, codedHeight) / 16 <= Math.sqrt(8 * most),
  )
  return fits?.[0] ?? refuse("level", `${codedWidth}x${codedHeight}`)
}

/** Pictures that a decoder may hold when the source does not say: what its level allows. */
export const heldPictures = (sequence: SequenceSet): number => {
  const [, , , buffer = 396] = levels.findLast(([level]) => level <= sequence.level) ?? []
  const allowed = Math.floor(buffer / macroblocksOf(sequence))
  return Math.min(mostHeld, Math.max(sequence.references, allowed))
}
