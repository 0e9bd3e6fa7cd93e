import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { rungsIn } from "#domain/transcode/codecs.ts"
import { Codec } from "#domain/transcode/facts.ts"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { readFragments } from "./fragments.ts"
import { type Encoded, MediaTools } from "./port.ts"
import { openIndex, timelineOf } from "./source-index.ts"
import { ffmpeg, fileSource, frameTimes } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "codecs-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

type Rendition = Encoded["rungs"][number]

/** A key frame every 3 s: borders of the grid are none of the source's. */
const source = (name: string, picture: string) => {
  const path = join(directory, name)
  ffmpeg(
    ...["-f", "lavfi", "-i", picture, "-fps_mode", "vfr", "-c:v", "libx264", "-g", "75"],
    ...["-preset", "ultrafast", "-pix_fmt", "yuv420p", path],
  )
  return path
}

/** All pieces of a file in one codec, and what they should be. */
const encodedIn = (codec: Codec, path: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const file = fileSource(path)
      const { rungs: ladder, media, index } = yield* tools.inspect(file, directory)
      const rungs = rungsIn(codec, ladder, media.video.framesPerSecond)
      const pieces = yield* tools.split(index, ladder)
      const parts = yield* Effect.forEach(pieces, ({ piece }) => {
        const folder = join(directory, `${codec}-${piece.n}`)
        mkdirSync(folder, { recursive: true })
        return tools.encode({ source: file, index, piece, rungs, directory: folder })
      })
      const opened = openIndex(index)
      return { rungs, parts, timeline: timelineOf(opened) }
    }),
  )

const timesOf = (name: string, { init }: Rendition, segments: Rendition["segments"]) => {
  const path = join(directory, name)
  writeFileSync(path, Buffer.concat([init, ...segments.map(({ data }) => data)]))
  return frameTimes(path)
}

const names: Readonly<Record<Codec, RegExp>> = {
  vp9: /^vp09\.00\.\d\d\.08$/,
  hevc: /^hvc1\.1\.6\.L\d+\.90$/,
  av1: /^av01\.0\.\d\dM\.08$/,
}

describe.each(Codec.literals)("a rung in %s", (codec) => {
  test.each([
    ["25.mp4", "testsrc2=s=320x240:r=25:d=11"],
    ["2997.mkv", "testsrc2=s=320x240:r=30000/1001:d=11"],
    ["varying.mp4", "testsrc2=s=320x240:r=25:d=8,select=not(mod(n\\,7))+lt(mod(n\\,50)\\,9)"],
    ["one-picture.mp4", "testsrc2=s=320x240:r=25:d=0.04"],
  ])(
    "of %s has every frame at its time, and segments that begin with a key frame",
    async (name, picture) => {
      const { rungs, parts, timeline } = await encodedIn(codec, source(`${codec}-${name}`, picture))
      expect(rungs.length).toBeGreaterThan(1)
      for (const [i, rung] of rungs.entries()) {
        const made = parts.flatMap((part) => part.rungs[i] ?? [])
        const [first] = made
        if (first === undefined) throw new Error("nothing was made")
        expect(rung.name).toBe(`${rung.height}p-${codec}`)
        expect(first.codecs).toMatch(names[codec])
        expect(first.codecs).toBe(rung.codecs)
        for (const { init } of made) expect(Buffer.compare(init, first.init)).toBe(0)

        const segments = made.flatMap((part) => part.segments)
        expect(segments.map(({ start }) => start)).toEqual([...timeline.grid])
        const times = timesOf("whole.mp4", first, segments)
        expect(times.map((time) => Math.round(time * 90_000))).toEqual([...timeline.frames])
        // Alone, as a player that begins there gets it: no picture leans on an earlier one.
        for (const { start, duration, data } of segments) {
          const own = timesOf(
            "one.mp4",
            first,
            segments.filter((it) => it.start === start),
          )
          const planned = timeline.frames.filter((at) => at >= start && at < start + duration)
          expect(own.map((time) => Math.round(time * 90_000))).toEqual(planned)
          const [sample, ...later] = readFragments(Buffer.concat([first.init, data]))?.samples ?? []
          expect(sample?.isKey).toBe(true)
          expect(later.every(({ pts }) => pts > start)).toBe(true)
        }
      }
    },
    120_000,
  )
})
