/** Small sources of many kinds, of real cameras where a folder of them is there, else made on the spot. For tests. */
import { join } from "node:path"
import { corpus } from "./testing.ts"

export interface VariedSource {
  readonly path: string
  /** As it is to be shown. */
  readonly width: number
  readonly height: number
  readonly seconds: number
}

const SECONDS = 4
const size = { width: 320, height: 180 }

const run = (...words: ReadonlyArray<string>) => {
  const done = Bun.spawnSync(["ffmpeg", "-nostdin", "-v", "error", "-y", ...words])
  if (done.exitCode !== 0) throw new Error(done.stderr.toString())
}
const lavfi = (graph: string) => ["-f", "lavfi", "-i", graph]
/** A turn of its colours for each, that no encode is reused. */
const picture = (turn: number) =>
  lavfi(`testsrc2=size=320x180:rate=25:duration=${SECONDS},hue=h=${turn}`)
const tone = (hertz: number) => lavfi(`sine=frequency=${hertz}:duration=${SECONDS}`)
const wide = lavfi(
  `aevalsrc=${[1, 2, 3, 4, 5, 6].map((n) => `0.1*sin(${n * 700}*t)`).join("|")}:c=5.1:s=48000:d=${SECONDS}`,
)
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p"]

const found = (name: string, width: number, height: number, seconds: number) => {
  const path = corpus(name)
  return path === undefined ? undefined : { path, width, height, seconds }
}

const made = (
  directory: string,
  name: string,
  words: ReadonlyArray<string>,
  shown = size,
): VariedSource => {
  const path = join(directory, name)
  run(...words, path)
  return { path, ...shown, seconds: SECONDS }
}

export const rotated = (directory: string): VariedSource => {
  const real = found("variety/phone_rotated90_8.8fps.mp4", 480, 640, 5)
  if (real !== undefined) return real
  const upright = made(directory, "upright.mp4", [...picture(40), ...tone(300), ...h264])
  const turn = ["-i", upright.path, "-c", "copy", "-metadata:s:v:0", "rotate=90"]
  return made(directory, "turned.mp4", turn, { width: 180, height: 320 })
}

/** Every second frame of its first half is not there. */
export const ofVaryingRate = (directory: string): VariedSource =>
  found("variety/avi_mpeg4_mp3.avi", 960, 400, 4) ??
  made(directory, "varying.mp4", [
    ...[...picture(80), ...tone(340), "-vf", "select='gt(n,50)+not(mod(n,2))'"],
    ...["-fps_mode", "vfr", ...h264],
  ])

export const ofHighRange = (directory: string): VariedSource =>
  found("variety/av1_hdr10_portrait.mp4", 720, 1280, 4.2) ??
  made(directory, "high-range.mp4", [
    ...[...picture(120), ...tone(380), "-pix_fmt", "yuv420p10le"],
    ...["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params"],
    "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc",
    ...["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"],
  ])

export const surround = (directory: string): VariedSource =>
  made(directory, "surround.mp4", [
    ...[...picture(160), ...wide, ...h264, "-c:a", "aac", "-metadata:s:a:0", "language=eng"],
  ])

export const ofTwoSounds = (directory: string): VariedSource =>
  made(directory, "two-sounds.mp4", [
    ...[...picture(200), ...tone(420), ...tone(840), "-map", "0", "-map", "1", "-map", "2"],
    ...[...h264, "-c:a", "aac", "-metadata:s:a:0", "language=eng"],
    ...["-metadata:s:a:1", "language=kor"],
  ])

export const said = { en: "Hello from the first line", ko: "첫 줄의 인사" } as const
export const chapters = ["Before <b>the</b> rain", "After it"] as const

const cuesOf = (line: string) => `1\n00:00:00,200 --> 00:00:03,800\n${line}\n`
const outline = [
  ";FFMETADATA1",
  ...chapters.flatMap((title, i) => [
    ...["[CHAPTER]", "TIMEBASE=1/1000"],
    ...[`START=${i * 2000}`, `END=${(i + 1) * 2000}`, `title=${title}`],
  ]),
].join("\n")

/** Subtitles in two languages, two chapters, and two sounds, of which one is 5.1. */
export const subtitled = async (directory: string): Promise<VariedSource> => {
  const lists = { en: join(directory, "en.srt"), ko: join(directory, "ko.srt") }
  const marks = join(directory, "chapters.txt")
  await Promise.all([
    Bun.write(lists.en, cuesOf(said.en)),
    Bun.write(lists.ko, cuesOf(said.ko)),
    Bun.write(marks, outline),
  ])
  return made(directory, "subtitled.mkv", [
    ...[...picture(240), ...wide, ...tone(900), "-i", lists.en, "-i", lists.ko, "-i", marks],
    ...["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "4", "-map_metadata", "5"],
    ...[...h264, "-c:a", "aac", "-c:s", "subrip"],
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=kor"],
    ...["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=kor"],
  ])
}
