/**
 * The command of one encode: one decode, the frames of the piece cut out by time or by count, a
 * cascade of scales, an H.264 encoder per rung. Key frames are forced by time at the starts of
 * segments. Rate control is capped CRF: chunked ABR starves the borders.
 */
import ffmpeg from "fluent-ffmpeg"
import { type Rung, TICKS } from "#domain/transcode/facts.ts"
import { isFrugal, lookaheadOf } from "./memory.ts"
import { intoFragments, otherEncoding, timedExactly } from "./other-codecs.ts"
import { deinterlaced, marked, scaled, timing, toneMapped } from "./picture-chain.ts"
import type { Mark } from "./port.ts"
import { inputArguments } from "./sniff.ts"
import type { OpenedIndex } from "./source-index.ts"
import type { LocalFile } from "./sparse.ts"

/** By presentation times of the source, or by numbers of frames after the key frame. */
export type Cut =
  /** Segments of ours: all of them, on the video's own timeline, and no error is forgiven. */
  | { readonly _tag: "Published" }
  | { readonly _tag: "ByTime"; readonly from: number; readonly to: number | null }
  | {
      readonly _tag: "ByCount"
      readonly from: number
      readonly to: number
      /** Ticks between two frames: times of the source that lie may not even increase. */
      readonly step: number
    }

export interface EncodeCommand {
  readonly index: OpenedIndex
  readonly local: LocalFile
  readonly cut: Cut
  /** Where decoding starts, seconds; `null`: at the beginning of the file. */
  readonly seek: number | null
  readonly rungs: ReadonlyArray<Rung>
  /** Segment starts of the piece, ticks; cut by count: by the times the count gives. */
  readonly starts: ReadonlyArray<number>
  readonly isFirst: boolean
  /** Take what can be decoded of a damaged source. */
  readonly isTolerant: boolean
  /** Fast rather than small. */
  readonly isHurried: boolean
  /** Its picture is the first file beside the source. */
  readonly mark?: Mark | undefined
}

/** Frames are at least 90 ticks apart even at 1 ms; rounding moves one by a tick. */
const keyFrameMargin = 20

const trimOf = (cut: Exclude<Cut, { readonly _tag: "Published" }>) => {
  if (cut._tag === "ByCount") return `trim=start_frame=${cut.from}:end_frame=${cut.to}`
  return cut.to === null
    ? `trim=start_pts=${cut.from}`
    : `trim=start_pts=${cut.from}:end_pts=${cut.to}`
}

const cutting = ({ index, cut, starts, isFirst }: EncodeCommand): ReadonlyArray<string> => {
  const { cappedTo } = index.video
  if (cut._tag === "Published") return [`settb=1/${TICKS}`]
  const before = deinterlaced(index)
  if (cut._tag === "ByCount")
    return [...before, trimOf(cut), `settb=1/${TICKS},setpts=N*${cut.step}`]
  if (cappedTo === null) return [...before, trimOf(cut), timing(index, isFirst)]
  const step = TICKS / cappedTo
  const first = Math.round((starts[0] ?? 0) / step)
  const start = isFirst ? `:start_time=0` : ""
  const until = cut.to !== null ? `:end_pts=${Math.round(cut.to / step)}` : ""
  return [
    ...before,
    timing(index, false),
    `fps=${cappedTo}${start}`,
    `trim=start_pts=${first}${until}`,
    `settb=1/${TICKS}`,
  ]
}

/**
 * Largest first: each smaller rung is scaled from the next larger one. A mark is laid over the
 * picture before that, in the size of the top rung, whichever rungs are made here.
 */
const filterGraph = (command: EncodeCommand): string => {
  const { local, index, rungs, mark } = command
  const descending = rungs.map((rung, i) => ({ rung, label: `o${i}` })).reverse()
  const before = cutting(command)
  const after = [...toneMapped(index), "format=yuv420p"]
  const whole = (size: Mark["canvas"]) => [...before, scaled(size), ...after].join(",")
  const under = mark === undefined ? [] : [marked(local.map, whole(mark.canvas), mark, "marked")]
  const cascade = descending.map(({ rung, label }, i) => {
    const first = mark === undefined ? whole(rung) : scaled(rung)
    const chain = [i === 0 ? first : scaled(rung)]
    const source = mark === undefined ? local.map : "marked"
    const input = i === 0 ? source : `c${i}`
    const isLast = i === descending.length - 1
    const ends = isLast ? `[${label}]` : `,split=2[${label}][c${i + 1}]`
    return `[${input}]${chain.join(",")}${ends}`
  })
  return [...under, ...cascade].join(";")
}

/** `avc1.64001F` → `3.1` */
const levelOf = ({ codecs }: Rung) => (Number.parseInt(codecs.slice(-2), 16) / 10).toFixed(1)

/** Told where frames do not, or not all alike: those of the source and those of its copy. */
const coloursOf = ({ video, copied }: OpenedIndex): ReadonlyArray<string> => {
  const told = ([primaries, transfer, matrix]: ReadonlyArray<number | string>) => [
    ...["-color_primaries", String(primaries), "-color_trc", String(transfer)],
    ...["-colorspace", String(matrix)],
  ]
  if (video.picture.isHdr) return told(["bt709", "bt709", "bt709"])
  return copied === undefined ? [] : [...told(copied.colour), "-chroma_sample_location", "left"]
}

const encoding = (command: EncodeCommand, rung: Rung): ReadonlyArray<string> => {
  const { index, rungs, starts, isFirst, isHurried } = command
  const keyFrames = starts.map((tick) => Math.max(0, (tick - keyFrameMargin) / TICKS).toFixed(6))
  if (rung.codec !== undefined)
    return otherEncoding(index, rung, keyFrames.join(","), coloursOf(index))
  // A piece has no history of quantisers: its first picture would be too coarse.
  const border = isFirst ? "" : ":zones=0,0,b=1.7"
  const short = isFrugal(index, rung) ? ":bframes=1:b-pyramid=none" : ""
  const affordable = lookaheadOf(index, rungs)
  // `superfast` alone would drop the tree, and pay for it with a quarter more bytes.
  const lookahead = isHurried ? `${Math.min(10, affordable)}:mbtree=1` : affordable
  return [
    ...timedExactly,
    ...["-c:v", "libx264", "-preset", isHurried ? "superfast" : "veryfast", "-crf", "23"],
    ...["-maxrate", String(rung.maxBitsPerSecond), "-bufsize", String(2 * rung.maxBitsPerSecond)],
    ...["-x264-params", `rc-lookahead=${lookahead}${short}${border}`],
    ...["-profile:v", "high", "-level:v", levelOf(rung), "-a53cc", "0"],
    ...["-g", "9999", "-keyint_min", "1", "-sc_threshold", "0", "-forced-idr", "1"],
    ...["-force_key_frames", keyFrames.join(","), "-threads", "1"],
    ...[...coloursOf(command.index), "-color_range", "tv"],
    ...intoFragments,
  ]
}

const markInput = [
  ...["-protocol_whitelist", "file", "-format_whitelist", "png_pipe", "-codec_whitelist", "png"],
  ...["-threads", "1", "-c:v", "png", "-f", "png_pipe"],
]

/** What is shown to viewers as it is decodes without a word. */
const strict = ["-xerror", "-err_detect", "explode"]

export const encodeArguments = (command: EncodeCommand): ReadonlyArray<string> => {
  const { index, local, seek, rungs, isTolerant, cut } = command
  const built = ffmpeg("/in").inputOptions(
    ...["-v", "error", "-nostdin", "-max_alloc", String(2 ** 30)],
    ...["-max_error_rate", isTolerant ? "1" : "0.5"],
    ...(cut._tag === "Published" ? strict : []),
    ...["-filter_threads", "1", "-filter_complex_threads", "1", "-threads", "1", "-copyts"],
    ...(local.isCut ? ["-probesize", "32", "-analyzeduration", "0"] : []),
    ...(seek === null ? [] : ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", seek.toFixed(6)]),
    ...inputArguments(index.demuxer).slice(0, -2),
  )
  if (command.mark !== undefined) built.input("/also/0").inputOptions(...markInput)
  built.complexFilter(filterGraph(command))
  for (const [i, rung] of rungs.entries()) {
    built.output(`/out/${i}`).outputOptions("-map", `[o${i}]`, ...encoding(command, rung))
  }
  return built._getArguments()
}

/** Decodes published segments and tells the time of each frame, its picture but a corner. */
export const proofArguments = (index: OpenedIndex): ReadonlyArray<string> => [
  ...["-v", "error", "-nostdin", "-max_alloc", String(2 ** 30), "-threads", "1", "-copyts"],
  ...["-filter_threads", "1", "-probesize", "32", "-analyzeduration", "0", ...strict],
  ...inputArguments(index.demuxer),
  ...["-map", "0:v:0", "-vf", `settb=1/${TICKS},crop=16:16:0:0`, "-fps_mode", "passthrough"],
  ...["-enc_time_base", `1:${TICKS}`, "-f", "framecrc", "pipe:1"],
]
