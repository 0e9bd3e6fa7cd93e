/**
 * The renditions a source deserves. The top rung has its own size, the others a standard one by
 * their short side, so that portrait and wide pictures get the same quality under the same name;
 * never upscaled, and none so near to the next that switching would change nothing.
 */
import { type Rung, type Segment, TICKS } from "./facts.ts"

const standards = [2160, 1440, 1080, 720, 480, 360, 240, 144]
const mostRungs = 7
/** Short sides nearer than this are one rung. */
const nearest = 0.8
/** Below this the source itself is the only rung. */
const lowest = 240
/** A large source ends at 240: one rung more would cost more than it gives. */
const smallSource = 480

/** Caps by picture area, bits/s at 30 frames/s. */
const caps: ReadonlyArray<readonly [area: number, bitsPerSecond: number]> = [
  [256 * 144, 200_000],
  [426 * 240, 400_000],
  [640 * 360, 800_000],
  [854 * 480, 1_400_000],
  [1280 * 720, 2_800_000],
  [1920 * 1080, 5_000_000],
  [2560 * 1440, 9_000_000],
  [3840 * 2160, 18_000_000],
]

/** H.264 table A-1, high profile: macroblocks/s, macroblocks, decoded picture buffer, kbit/s. */
const levels: ReadonlyArray<readonly [number, number, number, number, number]> = [
  [30, 40_500, 1_620, 8_100, 12_500],
  [31, 108_000, 3_600, 18_000, 17_500],
  [32, 216_000, 5_120, 20_480, 25_000],
  [40, 245_760, 8_192, 32_768, 25_000],
  [42, 522_240, 8_704, 34_816, 62_500],
  [50, 589_824, 22_080, 110_400, 168_750],
  [51, 983_040, 36_864, 184_320, 300_000],
  [52, 2_073_600, 36_864, 184_320, 300_000],
]
/** What x264 asks of the decoder with B-frame pyramids. */
const bufferedPictures = 4

export interface Shown {
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
}

const even = (length: number) => Math.max(2, Math.round(length / 2) * 2)

export const capOf = ({ width, height, framesPerSecond }: Shown): number => {
  const area = width * height
  const above = Math.max(
    1,
    caps.findIndex(([known]) => known >= area),
  )
  const at = area > 3840 * 2160 ? caps.length - 1 : above
  const [smallArea, low] = caps[at - 1] ?? [1, 1]
  const [largeArea, high] = caps[at] ?? [1, 1]
  const share = Math.log(area / smallArea) / Math.log(largeArea / smallArea)
  const bits = low * (high / low) ** Math.min(1.5, Math.max(-1, share))
  return Math.round((bits * (framesPerSecond > 30.5 ? 1.5 : 1)) / 1000) * 1000
}

/** `4.0` as 40: the lowest level that carries size, rate and cap; 5.2 at most. */
export const levelOf = ({ width, height, framesPerSecond }: Shown, bitsPerSecond: number) => {
  const wide = Math.ceil(width / 16)
  const high = Math.ceil(height / 16)
  const fits = levels.find(
    ([, perSecond, size, buffer, kilobits]) =>
      wide * high * framesPerSecond <= perSecond &&
      wide * high <= size &&
      Math.max(wide, high) <= Math.sqrt(8 * size) &&
      wide * high * bufferedPictures <= buffer &&
      bitsPerSecond <= kilobits * 1000,
  )
  return fits?.[0] ?? 52
}

const shortSides = (short: number): ReadonlyArray<number> => {
  const top = Math.min(short, standards[0] ?? short)
  const sides = [top]
  for (const side of standards) {
    const previous = sides.at(-1) ?? top
    const wanted = side >= lowest || top < smallSource
    if (wanted && side <= previous * nearest && top >= lowest) sides.push(side)
  }
  return sides.slice(0, mostRungs)
}

/** Lowest first. */
export const ladder = (source: Shown): ReadonlyArray<Rung> => {
  const short = Math.min(source.width, source.height)
  const framesPerSecond = Math.min(60, source.framesPerSecond)
  return [...shortSides(short)].reverse().map((side, i) => {
    const scale = side / short
    const width = even(source.width * scale)
    const height = even(source.height * scale)
    const shown = { width, height, framesPerSecond }
    const maxBitsPerSecond = capOf(shown)
    const level = levelOf(shown, maxBitsPerSecond)
    return {
      name: `${Math.min(width, height)}p`,
      group: `r${i + 1}`,
      width,
      height,
      maxBitsPerSecond,
      codecs: `avc1.6400${level.toString(16).toUpperCase().padStart(2, "0")}`,
    }
  })
}

/** The top rung as the source's own coded pictures. */
export const copiedRung = (
  encoded: Rung,
  source: { readonly codecs: string; readonly peakBitsPerSecond: number },
): Rung => {
  const { name, maxBitsPerSecond, codecs } = encoded
  return {
    ...encoded,
    name: `${name}-source`,
    maxBitsPerSecond: source.peakBitsPerSecond,
    codecs: source.codecs,
    copied: { instead: { name, maxBitsPerSecond, codecs } },
  }
}

/** A copied rung as it is encoded where its bytes prove unfit. */
export const encodedInstead = ({ copied, ...rung }: Rung): Rung =>
  copied === undefined ? rung : { ...rung, ...copied.instead }

export interface Measured {
  readonly rung: string
  readonly bitsPerSecond: number
}

const tooNear = 0.6

/**
 * Which rungs are worth offering, of measured rates in the ladder's order. The top one always, for
 * it is what was uploaded; the lowest always, for it is what a bad line takes and is shown first.
 */
export const worthOffering = (measured: ReadonlyArray<Measured>): ReadonlyArray<string> => {
  const isNear = (one: Measured, larger: Measured) =>
    one.bitsPerSecond > tooNear * larger.bitsPerSecond
  const [bottom] = measured
  const kept: Array<Measured> = []
  for (const rung of [...measured].reverse()) {
    const larger = kept.at(-1)
    if (larger === undefined || !isNear(rung, larger)) kept.push(rung)
    else if (rung === bottom) kept.splice(kept.length > 1 ? -1 : 1, 1, rung)
  }
  return kept.reverse().map(({ rung }) => rung)
}

/** Segments that tell what a rung comes to. */
export const TELLING_SEGMENTS = 2
/** A top rung this far below its cap shows a picture that hardly moves: it tells nothing of the rest. */
const leastOfCap = 0.1

/**
 * The ladder as it is offered, told by the first segments of every rung; `null` while some are
 * missing. What they say holds: a rung is dropped then or never.
 */
export const offered = (
  ladder: ReadonlyArray<Rung>,
  segmentsOf: (rung: string) => ReadonlyArray<Pick<Segment, "k" | "duration" | "bytes">>,
  telling = TELLING_SEGMENTS,
): ReadonlyArray<Rung> | null => {
  const measured: Array<Measured> = []
  for (const { name } of ladder) {
    const first = segmentsOf(name).filter(({ k }) => k < TELLING_SEGMENTS)
    if (first.length < telling) return null
    const ticks = first.reduce((sum, { duration }) => sum + duration, 0)
    const bytes = first.reduce((sum, it) => sum + it.bytes, 0)
    measured.push({ rung: name, bitsPerSecond: (bytes * 8 * TICKS) / Math.max(1, ticks) })
  }
  const top = ladder.at(-1)
  const cap = top?.copied?.instead.maxBitsPerSecond ?? top?.maxBitsPerSecond ?? 0
  if ((measured.at(-1)?.bitsPerSecond ?? 0) < leastOfCap * cap) return ladder
  const names = worthOffering(measured)
  return ladder.filter(({ name }) => names.includes(name))
}
