/**
 * Three thumbnails, and a storyboard: small pictures at equal intervals on sprites, with WebVTT that
 * says which part of which sprite belongs to a time. A storyboard is made of key frames alone where
 * they are near enough, so that most of the source is neither read nor decoded.
 */
import { join } from "node:path"
import { Effect } from "effect"
import { TICKS } from "#domain/transcode/facts.ts"
import { cutOf } from "./attempts.ts"
import { crashOf, failureOf } from "./failures.ts"
import { deinterlaced, scaled, timing, toneMapped, within } from "./picture-chain.ts"
import type { PictureFile, PictureJob, StoryboardFiles } from "./port.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch } from "./scratch.ts"
import { inputArguments } from "./sniff.ts"
import { frameTicks, KEY, type OpenedIndex, openIndex, ticksOf } from "./source-index.ts"
import { keyFramesFile, type LocalFile, localFile } from "./sparse.ts"
import { spriteSheet, storyboardText } from "./storyboard-sheet.ts"

const thumbnailBox = { width: 1280, height: 720 }
const places = [0.1, 0.5, 0.9]
/** Key frames further apart than this would show one picture for too long. */
const mostSecondsBetweenKeys = 12

const pictureArguments = (
  index: OpenedIndex,
  local: LocalFile,
  before: ReadonlyArray<string>,
  filters: ReadonlyArray<string>,
): ReadonlyArray<string> => [
  ...["-v", "error", "-nostdin", "-y", "-copyts", "-threads", "1", "-filter_threads", "1"],
  ...["-max_error_rate", "1", "-max_alloc", String(2 ** 30)],
  ...(local.isCut ? ["-probesize", "32", "-analyzeduration", "0"] : []),
  ...before,
  ...inputArguments(index.demuxer),
  ...["-map", local.map, "-an", "-sn", "-dn", "-vf", filters.join(","), "-fps_mode", "passthrough"],
  ...[
    "-map_metadata",
    "-1",
    "-c:v",
    "mjpeg",
    "-q:v",
    "4",
    "-threads",
    "1",
    "-f",
    "mjpeg",
    "/out/0",
  ],
]

const jpeg = "format=yuvj420p"

const limitsFor = ({ video }: OpenedIndex, frames: number): Confined["limits"] => {
  const cpuSeconds = 30 + Math.ceil((video.width * video.height * frames) / 20_000_000)
  return {
    mebibytes: 2560 + Math.ceil((video.width * video.height) / 10_000),
    cpuSeconds,
    wallSeconds: 4 * cpuSeconds,
    outputMebibytes: 32,
    stdoutBytes: 64 * 1024,
  }
}

/** Concatenated JPEGs: an end marker before a start marker stands only between two of them. */
const jpegsIn = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  let from = 0
  while (from < bytes.length) {
    const next = bytes.indexOf("ffd9ffd8", from, "hex")
    const to = next < 0 ? bytes.length : next + 2
    found.push(bytes.subarray(from, to))
    from = to
  }
  return found
}

const shoot = (sandbox: Sandbox) =>
  Effect.fn("shoot")(function* (
    index: OpenedIndex,
    local: LocalFile,
    directory: string,
    frames: number,
    words: ReadonlyArray<string>,
  ) {
    const command: Confined = {
      tool: "ffmpeg",
      arguments: words,
      input: local.path,
      outputs: [join(directory, "pictures.mjpeg")],
      limits: limitsFor(index, frames),
    }
    const outcome = yield* sandbox.run(command)
    const failure = failureOf(outcome, command.limits)
    if (failure !== null) return yield* failure
    const images = jpegsIn(yield* readScratch(directory, "pictures.mjpeg"))
    return images.length === 0 ? yield* crashOf(outcome, "no picture came") : { images, outcome }
  })

export const thumbnailsWith = (sandbox: Sandbox) =>
  Effect.fn("thumbnails")(function* <E>({ source, index: bytes, directory }: PictureJob<E>) {
    const index = openIndex(bytes)
    const size = within(index, thumbnailBox)
    const frames = frameTicks(index)
    let cpuSeconds = 0
    let peakMebibytes = 0
    const images: Array<PictureFile> = []
    for (const [i, place] of places.entries()) {
      const at = frames.findLast((tick) => tick <= index.end * place) ?? 0
      const { cut, seek, stretch, decoded } = cutOf(index, at, at + 1)
      const local = yield* localFile(source, index, stretch, directory)
      const wanted = cut._tag === "ByTime" && index.video.cappedTo === null ? cut.from : null
      const trim = wanted === null ? [] : [`trim=start_pts=${wanted}`]
      const before =
        seek === null || !local.seeks
          ? []
          : ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", seek.toFixed(6)]
      const filters = [
        ...deinterlaced(index),
        ...trim,
        "trim=end_frame=1",
        scaled(size),
        ...toneMapped(index),
        jpeg,
      ]
      const words = pictureArguments(index, local, before, filters)
      const shot = yield* shoot(sandbox)(index, local, directory, decoded, words)
      const [data = Buffer.alloc(0)] = shot.images
      images.push({ name: `${i + 1}.jpg`, ...size, at, data })
      cpuSeconds += shot.outcome.cpuSeconds
      peakMebibytes = Math.max(peakMebibytes, shot.outcome.peakMebibytes)
    }
    return { images, cpuSeconds, peakMebibytes }
  })

const keysAreNear = (index: OpenedIndex) => {
  const keys = [...index.video.keys.map((pts) => ticksOf(index, pts)), index.end]
  return keys.every((tick, i) => tick - (keys[i - 1] ?? 0) <= mostSecondsBetweenKeys * TICKS)
}

export const storyboardWith = (sandbox: Sandbox) =>
  Effect.fn("storyboard")(function* <E>({ source, index: bytes, directory }: PictureJob<E>) {
    const index = openIndex(bytes)
    const sheet = spriteSheet(index.end / TICKS, within(index, { width: 160, height: 160 }))
    const byKeys = keysAreNear(index)
    const everything = { key: index.video.keys[0] ?? 0, until: Number.POSITIVE_INFINITY }
    const local = byKeys
      ? yield* keyFramesFile(source, index, directory)
      : yield* localFile(source, index, everything, directory)
    const before = byKeys ? ["-discard", "nokey", "-skip_frame", "nokey"] : []
    const filters = [
      timing(index, true),
      `fps=1/${sheet.secondsEach}:start_time=0:eof_action=pass`,
      `tpad=stop=-1:stop_mode=clone,trim=end_frame=${sheet.tiles}`,
      scaled(sheet.tile),
      ...toneMapped(index),
      jpeg,
      `tile=${sheet.columns}x${sheet.rows}`,
    ]
    const { flags } = index.video.packets
    const frames = byKeys
      ? flags.filter((flag) => (flag & KEY) !== 0).length
      : index.video.frames.length
    const words = pictureArguments(index, local, before, filters)
    const { images, outcome } = yield* shoot(sandbox)(index, local, directory, frames, words)
    const sprites = images.map(
      (data, i): PictureFile => ({
        name: `storyboard-${i}.jpg`,
        width: sheet.columns * sheet.tile.width,
        height: sheet.rows * sheet.tile.height,
        at: i * sheet.columns * sheet.rows * sheet.secondsEach * TICKS,
        data,
      }),
    )
    const { cpuSeconds, peakMebibytes } = outcome
    const vtt = storyboardText(sheet, index.end / TICKS)
    const files: StoryboardFiles = { sprites, vtt, cpuSeconds, peakMebibytes }
    return files
  })
