import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { mediaList } from "#domain/transcode/playlist.ts"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { type AudioBatch, MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "sound-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

/** The sound alone; its renditions lie as the edge would serve them. */
const heard = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const folder = mkdtempSync(join(directory, "heard-"))
      const source = fileSource(file)
      const { media, index } = yield* tools.inspect(source, folder)
      const batches: Array<AudioBatch> = []
      const emit = (batch: AudioBatch) =>
        Effect.sync(() => {
          batches.push(batch)
        })
      const { audio } = yield* tools.encodeAudio({ source, index, directory: folder, emit })
      const segmentsOf = (name: string) =>
        batches.filter(({ rendition }) => rendition === name).flatMap(({ segments }) => segments)
      for (const { rendition: name, init } of batches) {
        mkdirSync(join(folder, name), { recursive: true })
        writeFileSync(join(folder, name, "init.mp4"), init)
        const segments = segmentsOf(name)
        for (const { k, data } of segments) writeFileSync(join(folder, name, `${k}.m4s`), data)
        const list = mediaList({ name, targetDuration: 12, segments, isWhole: true })
        writeFileSync(join(folder, `${name}.m3u8`), list)
      }
      const listOf = (name: string) => join(folder, `${name}.m3u8`)
      return { media, audio, batches, segmentsOf, listOf }
    }),
  )
type Heard = Awaited<ReturnType<typeof heard>>

const perSecond = 8000
/** Of the first channel, as a player decodes it. */
const loudnessAlong = (list: string): Float32Array => {
  const out = `${list}.f32`
  const plain = ["-copyts", "-protocol_whitelist", "file", "-i", list, "-map", "0:a:0"]
  // The encoder's priming lies before 0.
  ffmpeg(
    ...plain,
    "-af",
    "atrim=start=0,asetpts=N/SR/TB,pan=mono|c0=c0",
    "-ar",
    String(perSecond),
    "-f",
    "f32le",
    out,
  )
  const bytes = readFileSync(out)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
const firstAbove = (samples: Float32Array, level: number) =>
  samples.findIndex((sample) => Math.abs(sample) > level) / perSecond
const endOf = ({ segmentsOf }: Heard, name: string) => {
  const last = segmentsOf(name).at(-1)
  return ((last?.start ?? 0) + (last?.duration ?? 0)) / 90_000
}

const picture = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=6"]
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
/** Silence, but for a tone from this second on. */
const toneFrom = (second: number, seconds: number, layout: string) => {
  const tone = `if(gte(t\\,${second})\\,0.5*sin(880*PI*t)\\,0)`
  const channels = layout === "5.1" ? 6 : 2
  const expression = Array.from({ length: channels }, () => tone).join("|")
  return ["-f", "lavfi", "-i", `aevalsrc=${expression}:s=48000:c=${layout}:d=${seconds}`]
}

const made = {
  tracks: join(directory, "tracks.mp4"),
  late: join(directory, "late.mkv"),
  broken: join(directory, "broken.mp4"),
  song: join(directory, "song.mp4"),
}
beforeAll(() => {
  const two = [...toneFrom(2, 4.5, "stereo"), ...toneFrom(3, 8, "5.1")]
  const maps = ["-map", "0:v", "-map", "1:a", "-map", "2:a"]
  const labels = [
    ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"],
    ...["-metadata:s:a:1", "title=Un | deux"],
  ]
  ffmpeg(...picture, ...two, ...maps, ...x264, "-c:a", "aac", ...labels, made.tracks)
  const delayed = ["-itsoffset", "1", ...toneFrom(0, 3, "stereo")]
  ffmpeg(...picture, ...delayed, ...x264, "-c:a", "flac", made.late)
  const noise = ["-map", "0", "-c", "copy", "-bsf:a:1", "noise=amount=1"]
  ffmpeg("-i", made.tracks, ...noise, made.broken)
  const still = ["-f", "lavfi", "-i", "color=s=160x120:r=1:d=1"]
  ffmpeg(...still, ...toneFrom(0, 14, "stereo"), ...x264, "-c:a", "aac", made.song)
}, 60_000)

describe("all tracks of sound become renditions", () => {
  test("the default one first, 5.1 beside stereo, with their languages", async () => {
    const { audio, batches } = await heard(made.tracks)
    const told = audio.renditions.map(({ name, group, channels, language, isDefault }) => [
      ...[name, group, channels, language, isDefault],
    ])
    expect(told).toEqual([
      ["audio", "stereo", 2, "en", true],
      ["audio-1", "stereo", 2, "fr", false],
      ["audio-1-51", "surround", 6, "fr", false],
    ])
    expect(batches[0]?.rendition).toBe("audio")
    expect(batches.every(({ rendition, place }) => (rendition === "audio") === (place === 0))).toBe(
      true,
    )
  }, 30_000)

  test("on the same grid, each as long as its track, within three frames", async () => {
    const result = await heard(made.tracks)
    const lasts = { audio: 4.5, "audio-1": 8, "audio-1-51": 8 }
    for (const [name, seconds] of Object.entries(lasts)) {
      expect(result.segmentsOf(name).map(({ k }) => k)).toEqual(
        seconds > 6 ? [0, 1, 2, 3] : [0, 1, 2],
      )
      expect(Math.abs(endOf(result, name) - seconds)).toBeLessThan(3 * (1024 / 48_000))
    }
    const short = loudnessAlong(result.listOf("audio"))
    expect(Math.abs(firstAbove(short, 0.2) - 2)).toBeLessThan(0.003)
    expect(firstAbove(short.slice(4.6 * perSecond), 0.01)).toBeLessThan(0)
    const wide = loudnessAlong(result.listOf("audio-1-51"))
    expect(Math.abs(firstAbove(wide, 0.2) - 3)).toBeLessThan(0.003)
  }, 30_000)

  test("one that begins late has silence before it, and ends where it ends", async () => {
    const result = await heard(made.late)
    const samples = loudnessAlong(result.listOf("audio"))
    expect(Math.abs(firstAbove(samples, 0.2) - 1)).toBeLessThan(0.003)
    expect(firstAbove(samples.slice(4.1 * perSecond), 0.01)).toBeLessThan(0)
    expect(Math.abs(endOf(result, "audio") - 4)).toBeLessThan(3 * (1024 / 48_000))
  }, 30_000)

  test("a song under a still is heard to its end", async () => {
    const result = await heard(made.song)
    expect(endOf(result, "audio")).toBeGreaterThan(13.9)
  }, 30_000)

  test("one that is nothing but noise does the default one no harm", async () => {
    const result = await heard(made.broken)
    expect(result.audio.renditions[0]?.name).toBe("audio")
    const samples = loudnessAlong(result.listOf("audio"))
    expect(Math.abs(firstAbove(samples, 0.2) - 2)).toBeLessThan(0.003)
  }, 30_000)
})

describe("loudness is measured", () => {
  test("in the units of EBU R 128", async () => {
    const { audio } = await heard(made.late)
    const [first] = audio.renditions
    // A sine of half the full scale in both channels.
    expect(first?.loudness?.integratedLufs).toBeCloseTo(-6.6, 0)
    expect(first?.loudness?.truePeakDbtp).toBeCloseTo(-6, 0)
    expect(first?.loudness).toMatchObject({ isSilent: false, isClipped: false })
  }, 30_000)

  test("silence and clipping are flagged", async () => {
    const silent = join(directory, "silent.mp4")
    const clipped = join(directory, "clipped.mkv")
    ffmpeg(...picture, "-f", "lavfi", "-i", "anullsrc=d=6", ...x264, "-c:a", "aac", silent)
    const loud = ["-f", "lavfi", "-i", "sine=f=440:d=6:r=48000", "-af", "volume=30dB"]
    ffmpeg(...picture, ...loud, ...x264, "-c:a", "flac", clipped)
    const loudnessOf = async (file: string) => (await heard(file)).audio.renditions[0]?.loudness
    expect(await loudnessOf(silent)).toMatchObject({ isSilent: true, isClipped: false })
    expect(await loudnessOf(clipped)).toMatchObject({ isSilent: false, isClipped: true })
  }, 30_000)
})

// Real files, where a folder of them is named by REELOG_MEDIA.

const folder = process.env.REELOG_MEDIA ?? ""
const expected: Readonly<Record<string, ReadonlyArray<string>>> = {
  "variety/two_video_two_audio_two_subs_nasa.mp4": ["audio", "audio-1"],
  "variety/mkv_ac3_ass_subs.mkv": ["audio"],
  "variety/ts_h264_dts_audio.ts": ["audio"],
  "clips/bbb_720p25_aac51_117s.mp4": ["audio", "audio-51"],
}
for (const [name, renditions] of Object.entries(expected)) {
  const file = join(folder, name)
  test.skipIf(folder === "" || !existsSync(file))(
    `${name}: each track`,
    async () => {
      const result = await heard(file)
      expect(result.audio.renditions.map((it) => it.name)).toEqual([...renditions])
      expect(renditions.every((rendition) => endOf(result, rendition) > 0)).toBe(true)
    },
    180_000,
  )
}
