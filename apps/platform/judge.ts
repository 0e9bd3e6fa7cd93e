/**
 * Judges a finished stream against its source: every rung has the source's frames, at the source's
 * times, each looking like its own; segments line up; the sound is whole and lies where it did.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Frames, framesOf, run, strangers } from "./judge-pictures.ts"
import { fetched, type Stream, segmentProblems, streamOf } from "./judge-segments.ts"
import { hear } from "./judge-sound.ts"

/** A container that counts milliseconds rounds; the stream counts 1/90000 s. */
const mostOffSeconds = 0.0011
const mostLagSeconds = 0.015
/** Three frames of AAC. */
const mostMissingSoundSeconds = 0.064
const fastest = 60
const tooFast = 60.5

interface SourceStream {
  readonly index: number
  readonly codec_type: string
  readonly codec_name?: string
  readonly width?: number
  readonly height?: number
  readonly disposition?: { readonly attached_pic: number }
}

const sourceStreams = async (source: string): Promise<ReadonlyArray<SourceStream>> => {
  const { out } = await run(["ffprobe", "-v", "quiet", "-of", "json", "-show_streams", source])
  return (
    (JSON.parse(new TextDecoder().decode(out)) as { streams?: ReadonlyArray<SourceStream> })
      .streams ?? []
  )
}

const area = ({ width = 0, height = 0 }: SourceStream) => width * height

/** The largest picture that is no cover, and the first sound that can be decoded. */
const takenOf = (streams: ReadonlyArray<SourceStream>) => {
  const known = streams.filter(({ codec_name = "unknown" }) => codec_name !== "unknown")
  const pictures = known.filter(
    (stream) => stream.codec_type === "video" && stream.disposition?.attached_pic !== 1,
  )
  const [first] = pictures
  return {
    picture: pictures.reduce((most, it) => (most && area(it) > area(most) ? it : most), first),
    sound: known.find(({ codec_type }) => codec_type === "audio"),
  }
}

const spanOf = ({ times }: Frames) => (times.at(-1) ?? 0) - (times[0] ?? 0)
const increases = ({ times }: Frames) => times.every((at, i) => i === 0 || at > (times[i - 1] ?? 0))

/** Time of the stream minus time of the source: of the second frame, for the first may be held. */
const shiftOf = (stream: Frames, source: Frames) => {
  const i = Math.min(1, stream.times.length - 1, source.times.length - 1)
  return (stream.times[i] ?? 0) - (source.times[i] ?? 0)
}

/** Of a source above 60 frames/s: evenly spaced, as long as the source. */
const cappedProblems = (name: string, stream: Frames, source: Frames): ReadonlyArray<string> => {
  const planned = Math.round(spanOf(source) * fastest) + 1
  const off = stream.times.findIndex(
    (at, i) => Math.abs(at - (stream.times[0] ?? 0) - i / fastest) > mostOffSeconds,
  )
  return [
    ...(Math.abs(stream.times.length - planned) <= 1
      ? []
      : [`${name}: ${stream.times.length} frames, ${planned} at ${fastest} a second`]),
    ...(off < 0 ? [] : [`${name}: frame ${off} at ${stream.times[off]}`]),
  ]
}

const frameProblems = (name: string, stream: Frames, source: Frames): ReadonlyArray<string> => {
  if (stream.times.length !== source.times.length)
    return [`${name}: ${stream.times.length} frames, the source has ${source.times.length}`]
  const shift = shiftOf(stream, source)
  const isTrue = increases(source)
  const off = stream.times.findIndex(
    (at, i) => i > 0 && Math.abs(at - (source.times[i] ?? 0) - shift) > mostOffSeconds,
  )
  const wrong = strangers(stream, source)
  const isRun = wrong.some((i, k) => wrong[k + 1] === i + 1)
  return [
    ...(increases(stream) ? [] : [`${name}: times do not increase`]),
    ...(off < 0 || !isTrue
      ? []
      : [`${name}: frame ${off} at ${stream.times[off]}, expected ${source.times[off]}`]),
    ...(isRun || wrong.length > Math.max(3, source.times.length / 50)
      ? [`${name}: pictures ${wrong.slice(0, 8)} look like their neighbours`]
      : []),
  ]
}

const soundProblems = async (
  source: { readonly file: string; readonly index: number; readonly zero: number },
  { master, sound }: Stream,
  shift: number,
): Promise<ReadonlyArray<string>> => {
  if (sound.length === 0) return ["the source has sound, the stream has none"]
  const heard = await hear(
    { file: source.file, map: `0:${source.index}`, zero: source.zero },
    { file: master, map: "0:a:0", zero: source.zero + shift },
  )
  const { lagSeconds, sourceSeconds, streamSeconds } = heard
  return [
    ...(lagSeconds === null || Math.abs(lagSeconds) <= mostLagSeconds
      ? []
      : [`the sound is ${Math.round(lagSeconds * 1000)} ms late`]),
    ...(Math.abs(sourceSeconds - streamSeconds) <= mostMissingSoundSeconds
      ? []
      : [`the sound lasts ${streamSeconds} s, the source's ${sourceSeconds} s`]),
  ]
}

/** What every player shows: 8-bit H.264 of square pixels, never HDR under an SDR name. */
const pictureProblems = async ({ name, path, width, height }: Stream["video"][number]) => {
  const entries = "stream=codec_name,pix_fmt,width,height,sample_aspect_ratio,color_transfer"
  const { out } = await run([
    ...["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", entries],
    ...["-of", "json", "-protocol_whitelist", "file,crypto,data", path],
  ])
  const told = JSON.parse(new TextDecoder().decode(out)) as {
    readonly streams?: ReadonlyArray<Readonly<Record<string, string | number>>>
  }
  const [stream = {}] = told.streams ?? []
  const { codec_name, pix_fmt, sample_aspect_ratio = "1:1", color_transfer = "" } = stream
  return [
    ...(codec_name === "h264" && pix_fmt === "yuv420p"
      ? []
      : [`${name}: ${codec_name} ${pix_fmt}`]),
    ...(stream.width === width && stream.height === height
      ? []
      : [`${name}: ${stream.width}x${stream.height}, the list says ${width}x${height}`]),
    ...(sample_aspect_ratio === "1:1" ? [] : [`${name}: pixels of ${sample_aspect_ratio}`]),
    ...(/smpte2084|arib/.test(String(color_transfer)) ? [`${name}: ${color_transfer}`] : []),
  ]
}

export interface Judged {
  /** In words; none: the stream is exact. */
  readonly problems: ReadonlyArray<string>
  readonly sourceFrames: number
  /** Of the top rung. */
  readonly frames: number
  readonly seconds: number
  readonly width: number
  readonly height: number
  readonly hasSound: boolean
  /** So long the first picture is shown before its time, for sound begins earlier. */
  readonly heldSeconds: number
  /** The source's own times go back and forth, or it has more than 60 frames/s. */
  readonly notes: ReadonlyArray<string>
}

const judgeFiles = async (file: string, stream: Stream): Promise<Judged> => {
  const { picture, sound } = takenOf(await sourceStreams(file))
  const source = await framesOf(file, `0:${picture?.index ?? "v:0"}`)
  const rate = (source.times.length - 1) / Math.max(spanOf(source), 1e-9)
  const isCapped = source.times.length > 1 && rate > tooFast
  const problems = [...segmentProblems(stream)]
  if (stream.video.length === 0) problems.push("the multivariant playlist names no rendition")
  let top: Frames = { times: [], grey: new Uint8Array() }
  for (const rung of stream.video) {
    const { name, path } = rung
    problems.push(...(await pictureProblems(rung)))
    top = await framesOf(path, "0:v:0")
    problems.push(...(isCapped ? cappedProblems : frameProblems)(name, top, source))
  }
  const last = stream.video.at(-1)
  const pictureSeconds = last?.segments.reduce((sum, { seconds }) => sum + seconds, 0) ?? 0
  if (sound !== undefined) {
    const its = { file, index: sound.index, zero: source.times[0] ?? 0 }
    problems.push(...(await soundProblems(its, stream, shiftOf(top, source))))
  }
  return {
    problems,
    sourceFrames: source.times.length,
    frames: top.times.length,
    seconds: pictureSeconds,
    width: last?.width ?? 0,
    height: last?.height ?? 0,
    hasSound: stream.sound.length > 0,
    heldSeconds: sound === undefined || isCapped ? 0 : Math.max(0, spanOf(top) - spanOf(source)),
    notes: [
      ...(isCapped ? [`${Math.round(rate)} frames/s capped to ${fastest}`] : []),
      ...(increases(source) ? [] : ["the source's own times go back and forth"]),
    ],
  }
}

export const judged = async (source: string, master: string): Promise<Judged> => {
  const directory = mkdtempSync(join(tmpdir(), "judge-"))
  try {
    return await judgeFiles(source, streamOf(await fetched(master, directory)))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Problems in words; none: the stream is exact. */
export const judge = async (source: string, master: string): Promise<ReadonlyArray<string>> =>
  (await judged(source, master)).problems
