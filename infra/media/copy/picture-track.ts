/** What the head of an MP4 says of its picture that bears on copying it. Reads no sample. */
import { type Box, findBox, tracksOf } from "../mp4-boxes.ts"

export interface PictureTrack {
  /** More than one: the coding changes on the way. */
  readonly sampleEntries: number
  readonly isAvc: boolean
  /** Parts of the media that are shown, empty ones not counted. */
  readonly edits: number
  readonly isTransformed: boolean
  readonly hasAperture: boolean
  readonly pixelAspect: readonly [number, number]
  readonly avcC: Buffer | null
}

const VISUAL_ENTRY_BYTES = 8 + 78
const ONE = 0x10000

const editsIn = (moov: Buffer, from: number, to: number): number => {
  const list = findBox(moov, "edts/elst", from, to)
  if (list === undefined) return 0
  const isLong = moov[list.body] === 1
  const [width, mediaTimeAt] = isLong ? [20, 8] : [12, 4]
  const fitting = Math.floor((list.end - list.body - 8) / width)
  const count = Math.min(fitting, moov.readUInt32BE(list.body + 4))
  const starts = Array.from({ length: count }, (_, i) =>
    moov.readInt32BE(list.body + 8 + i * width + mediaTimeAt),
  )
  return starts.filter((start) => start >= 0).length
}

/** The matrix of a `tkhd` or `mvhd`, so many bytes into its short or long form. */
const isTurned = (moov: Buffer, header: Box | undefined, short: number, long: number): boolean => {
  if (header === undefined) return true
  const matrix = header.body + (moov[header.body] === 1 ? long : short)
  if (matrix + 20 > header.end) return true
  return [ONE, 0, 0, 0, ONE].some((value, i) => moov.readInt32BE(matrix + 4 * i) !== value)
}

/** `stream`: the place of the track in the file. */
export const pictureTrack = (moov: Buffer, stream: number): PictureTrack | null => {
  const track = tracksOf(moov)[stream]
  if (track === undefined) return null
  const { body, end } = track
  const entries = findBox(moov, "mdia/minf/stbl/stsd", body, end)
  if (entries === undefined || entries.body + 16 > entries.end) return null
  const first = entries.body + 8
  const firstEnd = Math.min(entries.end, first + moov.readUInt32BE(first))
  const child = (type: string) => findBox(moov, type, first + VISUAL_ENTRY_BYTES, firstEnd)
  const aspect = child("pasp")
  const avcC = child("avcC")
  const type = moov.toString("latin1", first + 4, first + 8)
  return {
    sampleEntries: moov.readUInt32BE(entries.body + 4),
    isAvc: type === "avc1" || type === "avc3",
    edits: editsIn(moov, body, end),
    isTransformed:
      isTurned(moov, findBox(moov, "moov/mvhd"), 36, 48) ||
      isTurned(moov, findBox(moov, "tkhd", body, end), 40, 52),
    hasAperture: child("clap") !== undefined,
    pixelAspect:
      aspect === undefined || aspect.body + 8 > aspect.end
        ? [1, 1]
        : [moov.readUInt32BE(aspect.body), moov.readUInt32BE(aspect.body + 4)],
    avcC: avcC === undefined ? null : moov.subarray(avcC.body, avcC.end),
  }
}
