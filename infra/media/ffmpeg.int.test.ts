import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, ManagedRuntime } from "effect"
import { makes } from "#domain/transcode/chunks.ts"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { type AudioBatch, MediaTools, type SegmentFile, type Source } from "./port.ts"
import { ffmpeg, fileSource, frameTimes, writeStream } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "media-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

/** A file of this name is made in the folder. */
const appearing = (folder: string, name: string) =>
  new Promise<void>((resolve) => {
    const watcher = watch(folder, (_, found) => {
      if (found !== name) return
      watcher.close()
      resolve()
    })
  })

const scratch = (name: string) => {
  const path = join(directory, name)
  mkdirSync(path, { recursive: true })
  return path
}

const picture = (size: string, rate: string, seconds: number) => [
  ...["-f", "lavfi", "-i", `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
]
const tone = (seconds: number) => ["-f", "lavfi", "-i", `sine=f=440:d=${seconds}`]
const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]

/** All of it, without a worker: index, pieces, segments, sound, playlists. */
const transcodeOnce = (file: string, name: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(file)
      const folder = scratch(name)
      const { media, rungs, index } = yield* tools.inspect(source, folder)
      const pieces = yield* tools.split(index, rungs)
      const rendered = new Map<string, { init: Uint8Array; segments: Array<SegmentFile> }>()
      const keep = (rung: string, init: Uint8Array, segments: ReadonlyArray<SegmentFile>) => {
        const known = rendered.get(rung) ?? { init, segments: [] }
        expect(Buffer.from(known.init).equals(Buffer.from(init))).toBe(true)
        known.segments.push(...segments)
        rendered.set(rung, known)
      }
      const ways: Array<string> = []
      for (const { piece } of pieces) {
        for (const group of piece.groups) {
          const wanted = rungs.filter((rung) => makes(group, piece, rung.group))
          const job = { source, index, piece, rungs: wanted, directory: folder }
          const encoded = yield* tools.encode(job)
          ways.push(encoded.way)
          for (const { rung, init, segments } of encoded.rungs) keep(rung, init, segments)
        }
      }
      const emit = ({ rendition, init, segments }: AudioBatch) =>
        Effect.sync(() => keep(rendition, init, segments))
      const { audio } = yield* tools.encodeAudio({ source, index, directory: folder, emit })
      const renditions = [...rendered].map(([rung, rest]) => ({ name: rung, ...rest }))
      const main = writeStream(join(folder, "out"), media, rungs, renditions)
      return { media, rungs, pieces, renditions, audio, main, ways, source, index }
    }),
  )

const done = new Map<string, ReturnType<typeof transcodeOnce>>()
const transcode = (name: keyof typeof made) => {
  const result = done.get(name) ?? transcodeOnce(made[name], name)
  done.set(name, result)
  return result
}

const refusalOf = (source: Source<never>) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const failure = yield* Effect.flip(tools.inspect(source, scratch("refused")))
      return failure._tag === "SourceRefused" ? failure.code : failure._tag
    }),
  )

const made = {
  openGop: join(directory, "open-gop.mp4"),
  transport: join(directory, "transport.ts"),
  matroska: join(directory, "matroska.mkv"),
  turned: join(directory, "turned.mp4"),
}
beforeAll(() => {
  const open = ["-x264-params", "open-gop=1:keyint=60:bframes=3:scenecut=0"]
  const slow = ["-preset", "veryfast", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
  const two = [...picture("426x240", "25", 11), ...tone(11)]
  ffmpeg(...two, ...slow, ...open, "-c:a", "aac", made.openGop)
  ffmpeg("-i", made.openGop, "-c", "copy", made.transport)
  ffmpeg("-i", made.openGop, "-c", "copy", made.matroska)
  const plain = join(directory, "plain.mp4")
  ffmpeg(...picture("322x242", "30000/1001", 3), ...x264, "-bf", "2", plain)
  ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v", "rotate=90", made.turned)
}, 60_000)

const sameTimes = (stream: ReadonlyArray<number>, source: ReadonlyArray<number>) => {
  expect(stream.length).toBe(source.length)
  const shift = (stream[1] ?? 0) - (source[1] ?? 0)
  // The first is held from 0 where sound begins before it.
  const off = stream.map((time, i) => (i === 0 ? 0 : Math.abs(time - shift - (source[i] ?? 0))))
  const worst = Math.max(...off)
  // Milliseconds of Matroska round.
  expect(worst).toBeLessThan(0.0011)
}

describe("a source becomes a stream with exactly its frames", () => {
  for (const name of ["openGop", "transport", "matroska", "turned"] as const) {
    test(`${name}: pieces join without a gap in every rung`, async () => {
      const { main, renditions, rungs, pieces, media, ways } = await transcode(name)
      const times = frameTimes(made[name])
      expect(pieces.reduce((sum, { piece }) => sum + piece.frames, 0)).toBe(times.length)
      for (const { name: rung } of rungs) {
        sameTimes(frameTimes(join(main, "..", `${rung}.m3u8`)), times)
      }
      const borders = renditions
        .filter((rendition) => rendition.name !== "audio")
        .map(({ segments }) => segments.map(({ k, start, duration }) => [k, start, duration]))
      for (const other of borders) expect(other).toEqual(borders[0] ?? [])
      expect(ways.every((way) => way === "sparse")).toBe(true)
      const longest = Math.max(...renditions.flatMap((r) => r.segments.map((s) => s.duration)))
      expect(longest / 90_000).toBeLessThanOrEqual(media.targetDuration)
    }, 60_000)
  }

  test("a turned picture is shown upright, its sides even", async () => {
    const { media, rungs } = await transcode("turned")
    expect([media.video.width, media.video.height]).toEqual([242, 322])
    expect(rungs.map(({ name }) => name)).toEqual(["144p", "242p"])
  }, 60_000)

  for (const name of ["openGop", "transport", "matroska"] as const) {
    test(`${name}: a piece asks for its own bytes, not for all`, async () => {
      const { pieces, source } = await transcode(name)
      const [first] = pieces.map(({ ranges }) =>
        (ranges ?? []).reduce((sum, { from, to }) => sum + to - from, 0),
      )
      expect(first).toBeGreaterThan(0)
      expect(first).toBeLessThan(source.byteLength * 0.6)
    }, 60_000)
  }
})

test("sound is told in segments on the grid, and none where there is none", async () => {
  const { audio, renditions } = await transcode("openGop")
  expect(audio.renditions).toMatchObject([{ codecs: "mp4a.40.2", channels: 2, segmentCount: 4 }])
  const sound = renditions.find(({ name }) => name === "audio")
  expect(sound?.segments.map(({ k }) => k)).toEqual([0, 1, 2, 3])
  expect((await transcode("turned")).audio.renditions).toEqual([])
}, 60_000)

test("thumbnails and a storyboard are made of the key frames around", async () => {
  const source = fileSource(made.openGop)
  const { images, board } = await runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const folder = scratch("pictures")
      const { index } = yield* tools.inspect(source, folder)
      const job = { source, index, directory: folder }
      const thumbnails = yield* tools.thumbnails(job)
      return { images: thumbnails.images, board: yield* tools.storyboard(job) }
    }),
  )
  expect(images.map(({ files }) => files.map(({ name }) => name))).toEqual([
    ["1-320.jpg", "1-320.webp", "1-426.jpg", "1-426.webp"],
    ["2-320.jpg", "2-320.webp", "2-426.jpg", "2-426.webp"],
    ["3-320.jpg", "3-320.webp", "3-426.jpg", "3-426.webp"],
  ])
  expect(board.sprites.map(({ width, height }) => [width, height])).toEqual([[960, 90]])
  expect(board.vtt).toContain("00:00:10.000 --> 00:00:11.000\nstoryboard-0.jpg#xywh=800,0,160,90")
}, 60_000)

describe("a source that is no video is refused with a code", () => {
  const file = (name: string, text: string | Uint8Array) => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return fileSource(path)
  }
  test("nothing at all", async () => {
    expect(await refusalOf(file("empty.mp4", ""))).toBe("empty")
  })
  test("a playlist under a video's name", async () => {
    const list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"
    expect(await refusalOf(file("list.mp4", list))).toBe("not_a_video")
  })
  test("a head without samples", async () => {
    const bytes = Buffer.from(await Bun.file(made.turned).arrayBuffer())
    const head = ffmpegHead(bytes)
    expect(await refusalOf(file("cut.mp4", head))).toBe("unreadable")
  })
  test("sound alone", async () => {
    const path = join(directory, "sound.mp4")
    ffmpeg(...tone(1), path)
    expect(await refusalOf(fileSource(path))).toBe("no_video")
  })
})
const ffmpegHead = (bytes: Buffer) => bytes.subarray(0, bytes.indexOf("moov") - 4)

test("an interrupted encode leaves no program behind", async () => {
  const source = fileSource(made.openGop)
  const folder = scratch("interrupted")
  await runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const { index, rungs } = yield* tools.inspect(source, folder)
      const [{ piece } = { piece: { n: 0 } }] = yield* tools.split(index, rungs)
      const job = { source, index, piece, rungs, directory: folder }
      const begins = appearing(folder, "rung-0.mp4")
      const fiber = yield* Effect.forkChild(tools.encode(job))
      yield* Effect.promise(() => begins)
      yield* Fiber.interrupt(fiber)
    }),
  )
  const commands = Bun.spawnSync(["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null"])
  expect(commands.stdout.toString()).not.toContain(folder)
}, 20_000)
