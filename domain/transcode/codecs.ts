/**
 * The renditions of a video in other codecs than H.264, which every video has: the same rungs on the
 * same grid. A level is told to the encoder, so that all pieces of a rung share a header.
 */
import type { Codec, Packaged, Rung } from "./facts.ts"
import { encodedInstead } from "./ladder.ts"

/** An encoder of a larger picture would take more memory than a slot has. */
export const MOST_SHORT_SIDE = 1080

type Level = readonly [level: number, samplesPerSecond: number, samples: number, kilobits: number]

interface Traits {
  /** The encoder takes no smaller pictures. */
  readonly leastSide: number
  /** Of the bits that H.264 takes. */
  readonly share: number
  readonly levels: ReadonlyArray<Level>
  /** RFC 6381. */
  readonly nameOf: (level: number) => string
}

const digits = (value: number) => String(value).padStart(2, "0")

/** `3.1` as 31 → 5: the levels of AV1 are counted. */
const counted = (level: number) => (Math.trunc(level / 10) - 2) * 4 + (level % 10)

const traits: Readonly<Record<Codec, Traits>> = {
  vp9: {
    leastSide: 2,
    share: 0.8,
    levels: [
      [10, 829_440, 36_864, 200],
      [11, 2_764_800, 73_728, 800],
      [20, 4_608_000, 122_880, 1_800],
      [21, 9_216_000, 245_760, 3_600],
      [30, 20_736_000, 552_960, 7_200],
      [31, 36_864_000, 983_040, 12_000],
      [40, 83_558_400, 2_228_224, 18_000],
      [41, 160_432_128, 2_228_224, 30_000],
      [50, 311_951_360, 8_912_896, 60_000],
      [51, 588_251_136, 8_912_896, 120_000],
    ],
    nameOf: (level) => `vp09.00.${level}.08`,
  },
  hevc: {
    leastSide: 2,
    share: 0.7,
    levels: [
      [20, 3_686_400, 122_880, 1_500],
      [21, 7_372_800, 245_760, 3_000],
      [30, 16_588_800, 552_960, 6_000],
      [31, 33_177_600, 983_040, 10_000],
      [40, 66_846_720, 2_228_224, 12_000],
      [41, 133_693_440, 2_228_224, 20_000],
      [50, 267_386_880, 8_912_896, 25_000],
      [51, 534_773_760, 8_912_896, 40_000],
    ],
    nameOf: (level) => `hvc1.1.6.L${level * 3}.90`,
  },
  av1: {
    leastSide: 64,
    share: 0.6,
    levels: [
      [20, 4_423_680, 147_456, 1_500],
      [21, 8_363_520, 278_784, 3_000],
      [30, 19_975_680, 665_856, 6_000],
      [31, 31_950_720, 1_065_024, 10_000],
      [40, 70_778_880, 2_359_296, 12_000],
      [41, 141_557_760, 2_359_296, 20_000],
      [50, 267_386_880, 8_912_896, 30_000],
      [51, 534_773_760, 8_912_896, 40_000],
    ],
    nameOf: (level) => `av01.0.${digits(counted(level))}M.08`,
  },
}

/** The lowest level that carries size, rate and cap. */
const levelOf = (
  levels: ReadonlyArray<Level>,
  { width, height, maxBitsPerSecond }: Rung,
  framesPerSecond: number,
): number => {
  const samples = width * height
  const fits = levels.find(
    ([, perSecond, most, kilobits]) =>
      samples * framesPerSecond <= perSecond &&
      samples <= most &&
      Math.max(width, height) <= Math.sqrt(8 * most) &&
      maxBitsPerSecond <= kilobits * 1000,
  )
  return (fits ?? levels.at(-1))?.[0] ?? 51
}

/** The ladder as it was published: without what was left out, copied or encoded as it came out. */
export const publishedRungs = (
  ladder: ReadonlyArray<Rung>,
  { rungs }: Packaged,
): ReadonlyArray<Rung> =>
  ladder.flatMap((rung) =>
    [rung, encodedInstead(rung)]
      .filter(({ name }) => rungs.some((it) => it.rung === name))
      .slice(0, 1),
  )

/** A rung of the ladder in another codec, under a name of its own: `720p-av1`. */
export const rungIn = (codec: Codec, rung: Rung, framesPerSecond: number): Rung => {
  const encoded = encodedInstead(rung)
  const { share, levels, nameOf } = traits[codec]
  const maxBitsPerSecond = Math.round((encoded.maxBitsPerSecond * share) / 1000) * 1000
  const capped = { ...encoded, name: `${encoded.name}-${codec}`, codec, maxBitsPerSecond }
  return { ...capped, codecs: nameOf(levelOf(levels, capped, Math.min(60, framesPerSecond))) }
}

/** The rungs that are made in another codec, lowest first; none, where the codec takes no such pictures. */
export const rungsIn = (
  codec: Codec,
  ladder: ReadonlyArray<Rung>,
  framesPerSecond: number,
  maxHeight: number = MOST_SHORT_SIDE,
): ReadonlyArray<Rung> => {
  const most = Math.min(maxHeight, MOST_SHORT_SIDE)
  return ladder
    .filter(({ width, height }, place) => place === 0 || Math.min(width, height) <= most)
    .filter(({ width, height }) => Math.min(width, height) >= traits[codec].leastSide)
    .map((rung) => rungIn(codec, rung, framesPerSecond))
}

/** As `levelOf` counts them, of a rung's own name: 31. */
export const levelIn = ({ codec, codecs }: Rung): number => {
  const [, , told = "", tier = ""] = codecs.split(".")
  switch (codec) {
    case "hevc":
      return Number(tier.slice(1)) / 3
    case "av1": {
      const count = Number.parseInt(told, 10)
      return (Math.trunc(count / 4) + 2) * 10 + (count % 4)
    }
    default:
      return Number(told)
  }
}
