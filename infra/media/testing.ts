/** For tests: sources made by ffmpeg, sources read from files, results written as a stream to play. */
import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import type { Media, Rung } from "#domain/transcode/facts.ts"
import { mediaList, multivariantList } from "#domain/transcode/playlist.ts"
import type { ByteRange, SegmentFile, Source } from "./port.ts"

/** The output of a program that has to succeed. */
export const output = (...words: ReadonlyArray<string>): string => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...words], { stdin: "ignore" })
  if (exitCode !== 0) throw new Error(`${words[0]}: ${stderr.toString()}`)
  return stdout.toString()
}

export const ffmpeg = (...words: ReadonlyArray<string>) =>
  output("ffmpeg", "-v", "error", "-nostdin", "-y", ...words)

export interface WatchedSource extends Source<never> {
  readonly ranges: Array<ByteRange>
  readonly close: Effect.Effect<void>
}

/** A local file; tells what was read of it. */
export const fileSource = (path: string): WatchedSource => {
  const file = openSync(path, "r")
  const ranges: Array<ByteRange> = []
  return {
    byteLength: statSync(path).size,
    ranges,
    read: ({ from, to }) =>
      Effect.sync(() => {
        const bytes = new Uint8Array(to - from)
        readSync(file, bytes, 0, bytes.length, from)
        ranges.push({ from, to })
        return bytes
      }),
    whole: Effect.sync(() => path),
    close: Effect.sync(() => closeSync(file)),
  }
}

export interface Rendition {
  readonly name: string
  readonly init: Uint8Array
  readonly segments: ReadonlyArray<SegmentFile>
}

/** Segments and playlists as the edge would serve them; answers the multivariant list's path. */
export const writeStream = (
  directory: string,
  media: Media,
  rungs: ReadonlyArray<Rung>,
  renditions: ReadonlyArray<Rendition>,
): string => {
  for (const { name, init, segments } of renditions) {
    mkdirSync(join(directory, name), { recursive: true })
    writeFileSync(join(directory, name, "init.mp4"), init)
    for (const { k, data } of segments) writeFileSync(join(directory, name, `${k}.m4s`), data)
    const { targetDuration } = media
    const list = mediaList({ name, targetDuration, segments, isWhole: true })
    writeFileSync(join(directory, `${name}.m3u8`), list)
  }
  const variants = rungs.map((rung) => ({
    rung,
    framesPerSecond: media.video.framesPerSecond,
    peakBitsPerSecond: rung.maxBitsPerSecond,
  }))
  const hasSound = renditions.some(({ name }) => name === "audio")
  const sound = {
    name: "audio",
    group: "stereo" as const,
    language: null,
    title: null,
    isDefault: true,
    codecs: "mp4a.40.2",
    channels: 2,
    bitsPerSecond: 128_000,
  }
  const main = join(directory, "main.m3u8")
  writeFileSync(
    main,
    multivariantList({
      variants,
      sounds: hasSound ? [sound] : [],
      texts: [],
      keyPictures: null,
      hasChapters: false,
    }),
  )
  return main
}

const columns = (text: string, column: number) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(",")[column]?.trim() ?? "")

/** Presentation times of all frames, seconds, as ffmpeg shows them. */
export const frameTimes = (file: string): ReadonlyArray<number> => {
  const text = ffmpeg(
    ...["-copyts", "-protocol_whitelist", "file", "-i", file, "-map", "0:v:0"],
    ...["-vf", "settb=1/90000", "-fps_mode", "passthrough", "-enc_time_base", "1:90000"],
    ...["-f", "framemd5", "-"],
  )
  return columns(text, 2).map((pts) => Number(pts) / 90_000)
}
