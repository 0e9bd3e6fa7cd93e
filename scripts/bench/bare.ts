/** The bare side: ffmpeg alone, told what the platform's ladder is, and the tools to compare two renditions frame by frame. */
import { join } from "node:path"
import { programsIn } from "#infra/media/sandbox/programs.ts"
import { spend } from "./usage.ts"

export interface Rung {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly maxBitsPerSecond: number
}

const programs = programsIn(process.env.REELOG_PROGRAMS || null)
Object.assign(process.env, {
  ...programs.environment,
  PATH: `${process.env.PATH}:${programs.environment.PATH}`,
})
const quiet = ["-nostdin", "-v", "error", "-y"]
const ffmpeg = (...words: ReadonlyArray<string>) =>
  spend([programs.path("ffmpeg"), ...quiet, ...words])
const ffprobe = (...words: ReadonlyArray<string>) =>
  spend([programs.path("ffprobe"), "-v", "error", ...words])

/** Its first seconds, by copying; from the beginning, so that nothing is decoded and not shown. */
export const cutTo = async (clip: string, seconds: number, target: string) => {
  await ffmpeg(
    ...["-i", clip, "-t", String(seconds), "-map", "0:v:0", "-map", "0:a:0?"],
    ...["-c", "copy", "-movflags", "+faststart", target],
  )
  return target
}

const scale = ({ width, height }: Rung) => `scale=${width}:${height}:flags=bicubic`

/** `starts`: seconds at which key frames are forced, the only ones there are. */
const x264 = ({ maxBitsPerSecond }: Rung, starts: ReadonlyArray<number>) => [
  ...["-fps_mode", "passthrough", "-enc_time_base", "1:90000"],
  ...["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-profile:v", "high"],
  ...["-maxrate", String(maxBitsPerSecond), "-bufsize", String(2 * maxBitsPerSecond)],
  ...["-g", "9999", "-keyint_min", "1", "-sc_threshold", "0", "-forced-idr", "1"],
  ...["-force_key_frames", starts.map((start) => start.toFixed(6)).join(",")],
  ...["-pix_fmt", "yuv420p", "-threads", "1"],
]

const oneDecode = ["-threads", "1", "-filter_threads", "1", "-filter_complex_threads", "1"]

/** As the platform's encoder is told to look ahead; x264's `veryfast` alone looks 10 frames ahead. */
export const LOOKS_AS_FAR = ["-x264-params", "rc-lookahead=20"]

const hasSound = async (file: string) => {
  const { out } = await ffprobe(
    ...["-select_streams", "a", "-show_entries", "stream=index", "-of", "csv=p=0", file],
  )
  return out.trim() !== ""
}

/** The whole ladder from one decode, each rung scaled from the source, and the sound. */
export const ladderInOneProcess = async (
  source: string,
  rungs: ReadonlyArray<Rung>,
  starts: ReadonlyArray<number>,
  directory: string,
  more: ReadonlyArray<string> = [],
) => {
  const fileOf = ({ name }: Rung) => join(directory, `bare-${name}-${more.length}.mp4`)
  const sound = join(directory, `bare-audio-${more.length}.mkv`)
  const branches = rungs.map((_, i) => `[s${i}]`).join("")
  const scales = rungs.map((rung, i) => `[s${i}]${scale(rung)}[v${i}]`)
  const { seconds } = await ffmpeg(
    ...[...oneDecode, "-i", source],
    ...["-filter_complex", [`[0:v]split=${rungs.length}${branches}`, ...scales].join(";")],
    ...rungs.flatMap((rung, i) => [
      "-map",
      `[v${i}]`,
      ...x264(rung, starts),
      ...more,
      fileOf(rung),
    ]),
    ...((await hasSound(source))
      ? ["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-threads", "1", sound]
      : []),
  )
  return { seconds, fileOf }
}

/**
 * As PeerTube makes it (packages/ffmpeg): a process of one thread for each rung, highest first, its
 * rate by bits per pixel but no more than 1.3 of the source's; the sound is copied.
 */
export const ladderLikePeerTube = async (
  source: string,
  rungs: ReadonlyArray<Rung>,
  { framesPerSecond, bitsPerSecond }: { framesPerSecond: number; bitsPerSecond: number },
  directory: string,
) => {
  const fileOf = ({ name }: Rung) => join(directory, `peertube-${name}.mp4`)
  const perPixel = (height: number) =>
    height >= 1080 ? 0.1 : height >= 720 ? 0.11 : height >= 480 ? 0.12 : height >= 360 ? 0.15 : 0.17
  const fps = Math.round(framesPerSecond)
  let spent = 0
  for (const rung of [...rungs].reverse()) {
    const wanted = rung.width * rung.height * fps * perPixel(rung.height)
    const rate = Math.round(Math.min(wanted, 1.3 * bitsPerSecond))
    const { seconds } = await ffmpeg(
      ...["-i", source, "-threads", "1", "-c:a", "copy", "-c:v", "libx264", "-preset", "veryfast"],
      ...["-vf", `scale=w=-2:h=${rung.height}`, "-maxrate", `${rate}`, "-bufsize", `${2 * rate}`],
      ...["-b_strategy", "1", "-bf", "16", "-r", `${fps}`, "-g", `${2 * fps}`],
      ...["-pix_fmt", "yuv420p", "-map_metadata", "-1", fileOf(rung)],
    )
    spent += seconds
  }
  return { seconds: spent, fileOf }
}

/** One rung in one pass, scaled and encoded as the platform's pieces are: `from` names the rungs it is scaled down through. */
export const onePass = async (
  source: string,
  from: ReadonlyArray<Rung>,
  rung: Rung,
  starts: ReadonlyArray<number>,
  target: string,
) => {
  await ffmpeg(
    ...[...oneDecode, "-i", source, "-an", "-vf", [...from, rung].map(scale).join(",")],
    ...[...x264(rung, starts), ...LOOKS_AS_FAR, target],
  )
  return target
}

/** Bytes of its packets, without those of the container. */
export const videoBytes = async (file: string) => {
  const { out } = await ffprobe(
    ...["-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0", file],
  )
  const sizes = out.split(/[\s,]+/).filter(Boolean)
  return { bytes: sizes.reduce((sum, size) => sum + Number(size), 0), frames: sizes.length }
}

/** SSIM of each frame (all planes) against the source at the size of the rung. */
export const ssim = async (file: string, source: string, { width, height }: Rung) => {
  // In a unit that holds a frame's time: rounded down, every third frame would meet the one before.
  const inOrder = "settb=1/25,setpts=N"
  const reference = `scale=${width}:${height}:flags=lanczos+accurate_rnd,format=yuv420p`
  const { out } = await ffmpeg(
    ...["-i", file, "-i", source, "-fps_mode", "passthrough", "-lavfi"],
    `[0:v]${inOrder}[a];[1:v]${reference},${inOrder}[b];[a][b]ssim=stats_file=-`,
    ...["-f", "null", "/dev/null"],
  )
  return [...out.matchAll(/All:([\d.]+)/g)].map(([, value]) => Number(value))
}
