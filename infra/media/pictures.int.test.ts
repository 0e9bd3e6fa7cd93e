import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { TICKS } from "#domain/transcode/facts.ts"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools, type ThumbnailFiles } from "./port.ts"
import { ffmpeg, fileSource, output } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "pictures-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

const file = (name: string) => join(directory, name)
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]

const thumbnailsOf = (name: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(file(name))
      const folder = file(`${name}.scratch`)
      mkdirSync(folder, { recursive: true })
      const { index } = yield* tools.inspect(source, folder)
      return yield* tools.thumbnails({ source, index, directory: folder })
    }),
  )

/** Mean light of a picture, 0 to 255. */
const lightOf = ({ files }: ThumbnailFiles) => {
  const jpeg = files.findLast(({ format }) => format === "jpeg")
  writeFileSync(file("look.jpg"), jpeg?.data ?? "")
  const grey = ["-vf", "scale=1:1:flags=area,format=gray", "-f", "rawvideo", file("look.gray")]
  ffmpeg("-i", file("look.jpg"), ...grey)
  return Number(output("od", "-An", "-tu1", file("look.gray")))
}
const second = ({ at }: ThumbnailFiles) => at / TICKS

describe("thumbnails", () => {
  beforeAll(() => {
    const scenes = (...filters: ReadonlyArray<string>) => [
      ...filters.flatMap((filter) => ["-f", "lavfi", "-i", filter]),
      ...["-filter_complex", `concat=n=${filters.length}`, ...x264],
    ]
    const black = "color=black:s=640x360:r=25:d=6"
    const bars = "testsrc2=s=640x360:r=25:d=4"
    const fractal = "mandelbrot=s=640x360:r=25:start_scale=2:end_scale=1.9,trim=end=4"
    ffmpeg(...scenes(black, bars, black, fractal), file("dark-middle.mp4"))
    ffmpeg(...scenes(black), file("black.mp4"))
    const blurred = "testsrc2=s=640x360:r=25:d=8,boxblur=12:3"
    ffmpeg(...scenes(blurred, "testsrc2=s=640x360:r=25:d=4", blurred), file("blurred.mp4"))
    ffmpeg("-f", "lavfi", "-i", bars, ...x264, "-g", "250", file("one-key.mp4"))
    ffmpeg("-i", file("dark-middle.mp4"), "-c", "copy", file("dark-middle.mkv"))
    ffmpeg("-i", file("dark-middle.mp4"), "-c", "copy", file("dark-middle.ts"))
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=36x64:r=25:d=0.04", ...x264, file("tiny.mp4"))
    const secret = ["-metadata", "comment=SECRET PLACE", "-metadata", "location=+48.8584+002.2945/"]
    const interlaced = ["-vf", "interlace", ...x264, "-flags", "+ilme+ildct", ...secret]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=50:d=10", ...interlaced, file("big.mp4"))
  }, 60_000)

  for (const name of ["dark-middle.mp4", "dark-middle.mkv", "dark-middle.ts"]) {
    test(`${name}, black at its beginning and its middle, has bright ones of two scenes`, async () => {
      const { images } = await thumbnailsOf(name)
      expect(images.length).toBe(3)
      const [poster, next] = images
      for (const picture of images.slice(0, 2)) expect(lightOf(picture)).toBeGreaterThan(40)
      const scene = (picture: ThumbnailFiles) => (second(picture) < 12 ? "bars" : "fractal")
      expect(poster && next && scene(poster)).not.toBe(next && scene(next))
    }, 30_000)
  }

  test("a blurred picture loses against a sharp one", async () => {
    const [poster] = (await thumbnailsOf("blurred.mp4")).images
    expect(poster && second(poster)).toBeWithin(8, 12)
  }, 30_000)

  test("a black video has three all the same", async () => {
    const { images } = await thumbnailsOf("black.mp4")
    expect(images.map(({ files }) => files.length)).toEqual([4, 4, 4])
  }, 30_000)

  test("a video with one key frame has three of different times", async () => {
    const { images } = await thumbnailsOf("one-key.mp4")
    expect(new Set(images.map(({ at }) => at)).size).toBe(3)
  }, 30_000)

  test("a video of one tiny frame has three, never larger than it is", async () => {
    const { images } = await thumbnailsOf("tiny.mp4")
    const sizes = images.map(({ files }) => files.map(({ width, height }) => [width, height]))
    expect(sizes).toEqual(
      Array.from({ length: 3 }, () => Array.from({ length: 2 }, () => [36, 64])),
    )
  }, 30_000)

  test("they come at several widths in two formats, upright, without a word in them", async () => {
    const { images } = await thumbnailsOf("big.mp4")
    for (const { files } of images) {
      expect(files.map(({ width, height, format }) => `${width}x${height} ${format}`)).toEqual([
        ...["320x180 jpeg", "320x180 webp", "640x360 jpeg", "640x360 webp"],
        ...["1280x720 jpeg", "1280x720 webp"],
      ])
      for (const { name, data, width, height } of files) {
        writeFileSync(file(name), data)
        const entries = ["-show_entries", "stream=width,height", "-of", "csv=p=0"]
        expect(output("ffprobe", "-v", "error", ...entries, file(name)).trim()).toBe(
          `${width},${height}`,
        )
        const text = Buffer.from(data).toString("latin1")
        for (const word of ["SECRET", "48.8584", "Exif", "XMP", "Lav", "ICC_PROFILE", "ICCP"]) {
          expect(text).not.toContain(word)
        }
      }
    }
  }, 30_000)
})
