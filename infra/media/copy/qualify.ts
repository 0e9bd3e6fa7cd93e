/**
 * May the source's own coded pictures be the top rung? Judged from the index and the head of the
 * file alone, no sample read: all reasons against it at once, or the plan. What only the bytes can
 * tell is judged piece by piece.
 */
import { Result } from "effect"
import { keyGrid } from "#domain/transcode/grid.ts"
import { HIDDEN, KEY, type OpenedIndex, type SourceIndex, ticksOf } from "../source-index.ts"
import { heldPictures, levelFor } from "./levels.ts"
import { type CodedPicture, type Measured, measure } from "./measure.ts"
import {
  codecsOf,
  type ParameterSets,
  readAvcC,
  readPictureSet,
  writeAvcC,
} from "./parameter-sets.ts"
import { type PictureTrack, pictureTrack } from "./picture-track.ts"
import { attempt, type CopyRefused, reasonOf } from "./refused.ts"
import { type Colour, readSequenceSet, type SequenceSet, writeSequenceSet } from "./sequence-set.ts"

/** What the top rung would be if it were encoded. */
export interface Wanted {
  readonly width: number
  readonly height: number
  readonly maxBitsPerSecond: number
}

export interface CopyPlan {
  readonly grid: ReadonlyArray<number>
  /** The record that viewers get. */
  readonly avcC: Buffer
  readonly codecs: string
  readonly colour: Colour
  /** Of the largest segment. */
  readonly peakBitsPerSecond: number
}

export type Verdict =
  | { readonly _tag: "Copied"; readonly plan: CopyPlan }
  | { readonly _tag: "Refused"; readonly reasons: ReadonlyArray<string> }

const refused = (...reasons: ReadonlyArray<string>): Verdict => ({ _tag: "Refused", reasons })

/** A reason where its condition holds. */
type Check = readonly [isAgainst: boolean, code: string, detail?: string | undefined]
const reasonsOf = (checks: ReadonlyArray<Check>): ReadonlyArray<string> =>
  checks.flatMap(([isAgainst, code, detail]) => {
    if (!isAgainst) return []
    return [detail === undefined ? code : `${code}: ${detail}`]
  })

const [baseline, main, high] = [66, 77, 100]
/** No slices in any order, no redundant ones. */
const CONSTRAINED = 0x40
const mostReordered = 16
/** Of a segment, beside the cap that holds for the whole. */
const peakShare = 2
const hdrTransfers: ReadonlyArray<number> = [16, 18]
const rgbMatrices: ReadonlyArray<number> = [0, 8]
const hdLines = 720
const BT709: Colour = [1, 1, 1]
const BT601: Colour = [6, 6, 6]

const isSquare = ([across, down]: readonly [number, number]) =>
  across === down || across === 0 || down === 0

/** Times as they are published: the first frame is held from 0. */
export const publishedTick = (index: SourceIndex, pts: number): number =>
  pts === index.video.frames[0] ? 0 : ticksOf(index, pts)

const picturesOf = (index: OpenedIndex): ReadonlyArray<CodedPicture> => {
  const { pts, size, flags } = index.video.packets
  return pts.flatMap((time, i) => {
    const flag = flags[i] ?? 0
    if (time === null || (flag & HIDDEN) !== 0) return []
    const isKey = (flag & KEY) !== 0
    return [{ tick: publishedTick(index, time), bytes: size[i] ?? 0, isKey }]
  })
}

/** An edit list may hide whole groups of pictures, never a part of one. */
const cutsGroup = (flags: ReadonlyArray<number>): boolean => {
  let isHidden = false
  return flags.some((flag) => {
    const hides = (flag & HIDDEN) !== 0
    if ((flag & KEY) !== 0) isHidden = hides
    return hides !== isHidden
  })
}

const ofContainer = (index: OpenedIndex, track: PictureTrack): ReadonlyArray<Check> => {
  const { cappedTo, picture, packets } = index.video
  return [
    [track.sampleEntries !== 1, "sample-entries", String(track.sampleEntries)],
    [track.edits > 1, "edits", String(track.edits)],
    [track.isTransformed, "rotation"],
    [track.hasAperture, "clean-aperture"],
    [!isSquare(track.pixelAspect), "pixel-aspect", track.pixelAspect.join(":")],
    [cappedTo !== null, "frame-rate"],
    [picture.isHdr, "hdr"],
    [picture.isInterlaced, "interlaced"],
    [packets.pts.includes(null), "no-pts"],
    [cutsGroup(packets.flags), "edit-cuts-gop"],
  ]
}

const ofSequence = (sequence: SequenceSet, wanted: Wanted): ReadonlyArray<Check> => {
  const { profile, constraints, chroma, bitDepth, colour, pixelAspect, width, height } = sequence
  const isConstrained = profile === baseline && (constraints & CONSTRAINED) !== 0
  const isOurs = profile === main || profile === high || isConstrained
  const isSdr = colour === null || !hdrTransfers.includes(colour[1])
  const isYuv = colour === null || !rgbMatrices.includes(colour[2])
  return [
    [!isOurs, "profile", String(profile)],
    [chroma !== 1, "chroma", String(chroma)],
    [bitDepth !== 8, "bit-depth", String(bitDepth)],
    [!sequence.isProgressive, "interlaced"],
    [!isSquare(pixelAspect), "pixel-aspect", pixelAspect.join(":")],
    [sequence.isFullRange, "full-range"],
    [!isSdr || !isYuv, "colour", colour?.join("/")],
    [width !== wanted.width || height !== wanted.height, "size", `${width}x${height}`],
  ]
}

const ofMeasured = (measured: Measured, wanted: Wanted): ReadonlyArray<Check> => {
  const { leading, reorder, bitsPerSecond, peakBitsPerSecond } = measured
  return [
    [!measured.isDistinct, "pts-twice"],
    [leading > 0, "open-gop", `${leading} leading frames`],
    [reorder > mostReordered, "reorder", String(reorder)],
    [bitsPerSecond > wanted.maxBitsPerSecond, "bit-rate", String(bitsPerSecond)],
    [
      peakBitsPerSecond > peakShare * wanted.maxBitsPerSecond,
      "peak-bit-rate",
      String(peakBitsPerSecond),
    ],
  ]
}

const ofSets = ({ sequence, picture }: ParameterSets): ReadonlyArray<Check> => [
  [
    sequence.length === 0 || picture.length === 0,
    "parameter-sets",
    `${sequence.length} SPS, ${picture.length} PPS`,
  ],
  [sequence.some((set) => sequence[0]?.equals(set) === false), "several-sps"],
]

/** Each read; reasons of those that cannot be. */
const readSets = ({ sequence, picture }: ParameterSets) => {
  const first = attempt(() => readSequenceSet(sequence[0] ?? Buffer.alloc(0)))
  const pictures = picture.map((set) => attempt(() => readPictureSet(set)))
  const failures = [first, ...pictures].flatMap((read: Result.Result<unknown, CopyRefused>) =>
    Result.isFailure(read) ? [reasonOf(read.failure)] : [],
  )
  const id = Result.isSuccess(first) ? first.success.id : null
  const isOther = pictures.some((read) => Result.isSuccess(read) && read.success.sequence !== id)
  return {
    sequence: Result.getOrElse(first, () => null),
    reasons: [...failures, ...(isOther && id !== null ? ["pps-of-other-sps"] : [])],
  }
}

/** Raised when the source lies; lowered only when it says how many pictures it holds. */
const publishedSequence = (nal: Buffer, sequence: SequenceSet, measured: Measured) => {
  const held = sequence.restriction?.buffering ?? heldPictures(sequence)
  const buffering = Math.max(held, sequence.references, measured.reorder)
  const needed = levelFor(sequence, {
    framesPerSecond: measured.peakFramesPerSecond,
    bitsPerSecond: measured.peakBitsPerSecond,
    buffering,
  })
  const level = sequence.restriction === null ? Math.max(needed, sequence.level) : needed
  const colour = sequence.colour ?? (sequence.height >= hdLines ? BT709 : BT601)
  const to = { level, reorder: measured.reorder, buffering, colour }
  return { nal: writeSequenceSet(nal, sequence, to), colour }
}

export const qualify = (index: OpenedIndex, wanted: Wanted): Verdict => {
  if (index.cut !== "mp4") return refused(`container: ${index.demuxer}`)
  const track = pictureTrack(index.head, index.video.stream)
  if (track === null || !track.isAvc || track.avcC === null) return refused("codec")
  const record = track.avcC
  const read = attempt(() => readAvcC(record))
  if (Result.isFailure(read)) return refused(reasonOf(read.failure))
  const sets = read.success
  const { sequence, reasons } = readSets(sets)

  const pictures = picturesOf(index)
  const keys = pictures.flatMap(({ tick, isKey }) => (isKey ? [tick] : []))
  const grid = keyGrid(keys, index.end)
  const measured = measure(pictures, grid ?? [0], index.end)
  const against = [
    ...reasons,
    ...reasonsOf([
      ...ofSets(sets),
      ...ofContainer(index, track),
      ...(sequence === null ? [] : ofSequence(sequence, wanted)),
      [pictures[0]?.isKey !== true || pictures[0].tick !== 0, "starts-without-key"],
      [grid === null, "gop-gap"],
      ...ofMeasured(measured, wanted),
    ]),
  ]
  const [nal] = sets.sequence
  if (against.length > 0 || sequence === null || grid === null || nal === undefined)
    return refused(...against)
  const own = attempt(() => publishedSequence(nal, sequence, measured))
  if (Result.isFailure(own)) return refused(reasonOf(own.failure))
  return {
    _tag: "Copied",
    plan: {
      grid,
      avcC: writeAvcC(own.success.nal, sets.picture),
      codecs: codecsOf(own.success.nal),
      colour: own.success.colour,
      peakBitsPerSecond: measured.peakBitsPerSecond,
    },
  }
}
