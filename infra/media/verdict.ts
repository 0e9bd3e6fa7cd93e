/** Which streams of a source are taken, and the code with which it is refused. */
import { Result } from "effect"
import { type RefusalCode, SourceRefused } from "./port.ts"
import type { Probed, Row } from "./probe.ts"
import { mostPixels } from "./sniff.ts"

const mostStreams = 32
const longestSide = 16_384
const mostSeconds = 12 * 3600

export interface Taken {
  readonly video: Row
  readonly audio: Row | null
  /** The other tracks of sound, in their order. */
  readonly moreAudio: ReadonlyArray<Row>
  readonly texts: ReadonlyArray<Row>
}

export const numberOf = (row: Row, key: string): number => {
  const value = Number(row.get(key))
  return Number.isFinite(value) ? value : 0
}

const isKnown = (stream: Row) =>
  !["unknown", "none", "N/A", undefined].includes(stream.get("codec_name"))

const area = (stream: Row) => numberOf(stream, "width") * numberOf(stream, "height")

const isTooLarge = (stream: Row) => {
  const width = Math.max(numberOf(stream, "width"), numberOf(stream, "coded_width"))
  const height = Math.max(numberOf(stream, "height"), numberOf(stream, "coded_height"))
  return width * height > mostPixels || Math.max(width, height) > longestSide
}

const refused = (code: RefusalCode) => Result.fail(new SourceRefused({ code }))

/** Not judged: the frame rate (FLV says 1000) and bytes for length (0.8 MB for 6 min is honest). */
export const judge = ({
  streams,
  format,
  isComplete,
}: Probed): Result.Result<Taken, SourceRefused> => {
  if (streams.length === 0) return refused(isComplete ? "no_media" : "unreadable")
  if (streams.length > mostStreams) return refused("too_many_streams")
  if (streams.some((stream) => /^enc[va]$/.test(stream.get("codec_tag_string") ?? "")))
    return refused("encrypted")
  const pictures = streams.filter(
    (stream) =>
      stream.get("codec_type") === "video" && stream.get("disposition:attached_pic") !== "1",
  )
  if (pictures.length === 0) return refused("no_video")
  const known = pictures.filter(isKnown)
  if (known.length === 0) return refused("unsupported_codec")
  const sized = known.filter((stream) => area(stream) > 0)
  const [first] = sized
  if (first === undefined) return refused("no_picture_size")
  if (sized.some(isTooLarge)) return refused("too_many_pixels")
  if (numberOf(format, "duration") > mostSeconds) return refused("too_long")
  const video = sized.reduce((largest, stream) => (area(stream) > area(largest) ? stream : largest))
  const ofType = (type: string) =>
    streams.filter((stream) => stream.get("codec_type") === type && isKnown(stream))
  const [audio = null, ...moreAudio] = ofType("audio")
  return Result.succeed({ video, audio, moreAudio, texts: ofType("subtitle") })
}

/** Size as shown: rotated, square pixels, even. */
export const shownSize = (stream: Row) => {
  const [across = 1, down = 1] = (stream.get("sample_aspect_ratio") ?? "").split(":").map(Number)
  const aspect = across > 0 && down > 0 ? across / down : 1
  const rotation = stream.get("rotation")
  const isTurned = Math.abs(Number(rotation ?? 0)) % 180 === 90
  const [width, height, pixel] = isTurned
    ? [numberOf(stream, "height"), numberOf(stream, "width"), 1 / aspect]
    : [numberOf(stream, "width"), numberOf(stream, "height"), aspect]
  const even = (length: number) => Math.max(2, Math.trunc(length / 2 + 0.5) * 2)
  return { width: even(width * pixel), height: even(height) }
}
