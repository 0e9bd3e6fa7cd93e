import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "text-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

const textOf = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const folder = mkdtempSync(join(directory, "of-"))
      const source = fileSource(file)
      const { index } = yield* tools.inspect(source, folder)
      const before = source.ranges.length
      const made = yield* tools.extractText({ source, index, directory: folder })
      const files = made.files.map(({ data }) => new TextDecoder().decode(data))
      return { ...made.text, files, requests: source.ranges.length - before }
    }),
  )

const picture = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=6"]
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
const written = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const made = {
  matroska: join(directory, "all.mkv"),
  mp4: join(directory, "text.mp4"),
  later: join(directory, "later.mkv"),
  none: join(directory, "none.mp4"),
}
beforeAll(() => {
  const srt = written(
    "a.srt",
    "1\n00:00:01,000 --> 00:00:02,500\n<i>안녕</i> <script>alert(1)</script>\n\n" +
      "2\n00:00:05,000 --> 00:00:09,000\nend\n",
  )
  const vtt = written("a.vtt", "WEBVTT\n\n00:02.000 --> 00:03.000 line:0\n<c.red>red</c>\n")
  const ass = join(directory, "a.ass")
  ffmpeg("-i", srt, ass)
  const chapters = written(
    "chapters.txt",
    ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One | two\n" +
      "[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=9000\ntitle=셋\n",
  )
  const texts = ["-i", srt, "-i", ass, "-i", vtt, "-i", chapters]
  const maps = ["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_chapters", "4"]
  const labels = [
    ...["-metadata:s:s:0", "language=kor", "-metadata:s:s:0", "title=한국어"],
    ...["-metadata:s:s:1", "language=ger", "-metadata:s:s:2", "language=eng"],
    ...["-disposition:s:0", "default", "-disposition:s:1", "forced"],
    ...["-disposition:s:2", "hearing_impaired"],
  ]
  const codecs = ["-c:s:0", "srt", "-c:s:1", "ass", "-c:s:2", "webvtt"]
  ffmpeg(...picture, ...texts, ...maps, ...x264, ...codecs, ...labels, made.matroska)
  const two = ["-map", "0", "-map", "1", "-map_chapters", "2"]
  ffmpeg(
    ...[...picture, "-i", srt, "-i", chapters, ...two, ...x264],
    ...["-c:s", "mov_text", "-metadata:s:s:0", "language=kor", made.mp4],
  )
  const offset = ["-output_ts_offset", "10", "-c", "copy", "-map", "0"]
  ffmpeg("-i", made.matroska, ...offset, made.later)
  ffmpeg(...picture, ...x264, made.none)
}, 60_000)

const first = "00:00:01.000 --> 00:00:02.500\n<i>안녕</i> alert(1)"

describe("the texts of a source become WebVTT", () => {
  test("SubRip, ASS and WebVTT of Matroska, with what is said of them", async () => {
    const { tracks, files } = await textOf(made.matroska)
    expect(tracks).toMatchObject([
      { name: "text-0", kind: "subtitles", language: "ko", title: "한국어", isDefault: true },
      { name: "text-1", kind: "subtitles", language: "de", title: null, isForced: true },
      { name: "text-2", kind: "captions", language: "en", isDefault: false, isForced: false },
    ])
    for (const file of files.slice(0, 2)) {
      expect(file).toBe(`WEBVTT\n\n${first}\n\n00:00:05.000 --> 00:00:06.000\nend\n`)
    }
    expect(files[2]).toBe("WEBVTT\n\n00:00:02.000 --> 00:00:03.000\nred\n")
  }, 30_000)

  test("the timed text of MP4", async () => {
    const { tracks, files } = await textOf(made.mp4)
    expect(tracks).toMatchObject([{ name: "text-0", language: "ko" }])
    expect(files[0]).toContain("00:00:01.000 --> 00:00:02.500\n")
    expect(files[0]).toContain("안녕")
    expect(files[0]).not.toContain("<script")
  }, 30_000)

  test("at their time where the source does not begin at 0", async () => {
    const { files } = await textOf(made.later)
    expect(files[0]).toContain(first)
  }, 30_000)
})

test("chapters are kept, within the video", async () => {
  const expected = [
    { start: 0, end: 180_000, title: "One | two" },
    { start: 180_000, end: 540_000, title: "셋" },
  ]
  expect((await textOf(made.matroska)).chapters).toEqual(expected)
  expect((await textOf(made.mp4)).chapters).toEqual(expected)
}, 30_000)

test("a source without any is not read again", async () => {
  expect(await textOf(made.none)).toEqual({ tracks: [], chapters: [], files: [], requests: 0 })
}, 30_000)

// Real files, where a folder of them is named by REELOG_MEDIA.

const folder = process.env.REELOG_MEDIA ?? ""
const expected: Readonly<
  Record<string, readonly [tracks: number, chapters: number, left: number]>
> = {
  "variety/two_video_two_audio_two_subs_nasa.mp4": [2, 0, 0],
  "variety/mkv_ac3_ass_subs.mkv": [1, 0, 0],
  "variety/captions_608_fragmented.mp4": [1, 0, 0],
  "variety/mkv_chapters_yuv444.mkv": [0, 2, 0],
  "variety/mp4_chapter_text_track.mp4": [0, 3, 0],
  "variety/mkv_pgs_subs.mkv": [0, 0, 1],
  "variety/mp4_vobsub_track.mp4": [0, 0, 1],
}
for (const [name, counts] of Object.entries(expected)) {
  const file = join(folder, name)
  test.skipIf(folder === "" || !existsSync(file))(
    `${name}: text, chapters, and what is left out`,
    async () => {
      const { tracks, chapters, leftOut = [] } = await textOf(file)
      expect([tracks.length, chapters.length, leftOut.length]).toEqual([...counts])
    },
    60_000,
  )
}
