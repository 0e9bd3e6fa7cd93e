import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { makes } from "#domain/transcode/chunks.ts"
import type { Rung } from "#domain/transcode/facts.ts"
import { ffmpegMediaTools } from "../ffmpeg.ts"
import { readFragments } from "../fragments.ts"
import { type Encoded, MediaTools } from "../port.ts"
import { ffmpeg, fileSource, frameTimes, output } from "../testing.ts"
import { codecsOf, readAvcC } from "./parameter-sets.ts"
import { pictureTrack } from "./picture-track.ts"
import { readSequenceSet } from "./sequence-set.ts"

const directory = mkdtempSync(join(tmpdir(), "copy-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})
const patience = 120_000

const make = (name: string, x264: string, more: ReadonlyArray<string> = [], rate = "25") => {
  const file = join(directory, name)
  const picture = `testsrc2=s=320x240:r=${rate}:d=9`
  const coding = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
  ffmpeg("-f", "lavfi", "-i", picture, ...coding, "-x264-params", x264, ...more, file)
  return file
}

const inspected = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      return yield* (yield* MediaTools).inspect(fileSource(file), directory)
    }),
  )
const codes = async (file: string) =>
  ((await inspected(file)).copyRefused ?? []).map((reason) => reason.split(":")[0])

/** Every piece; each rung as one file. */
const transcode = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(file)
      const folder = mkdtempSync(join(directory, "run-"))
      const { index, rungs } = yield* tools.inspect(source, folder)
      const made: Array<Encoded> = []
      for (const { piece } of yield* tools.split(index, rungs)) {
        for (const group of piece.groups) {
          const wanted = rungs.filter((rung) => makes(group, piece, rung.group))
          made.push(yield* tools.encode({ source, index, piece, rungs: wanted, directory: folder }))
        }
      }
      return { rungs, made, files: writeRungs(folder, made) }
    }),
  )

const writeRungs = (folder: string, made: ReadonlyArray<Encoded>) => {
  const parts = made.flatMap(({ rungs }) => rungs)
  const names = [...new Set(parts.map(({ rung }) => rung))]
  return new Map(
    names.map((name) => {
      const own = parts.filter(({ rung }) => rung === name)
      const [first] = own
      for (const { init } of own) expect(Buffer.from(init).equals(first?.init ?? init)).toBe(true)
      const segments = own.flatMap((part) => part.segments.map(({ data }) => data))
      mkdirSync(folder, { recursive: true })
      const path = join(folder, `${name}.mp4`)
      writeFileSync(path, Buffer.concat([first?.init ?? Buffer.alloc(0), ...segments]))
      return [name, path] as const
    }),
  )
}

const pictures = (file: string) =>
  output(
    ...["ffmpeg", "-v", "error", "-i", file, "-map", "0:v:0", "-fps_mode", "passthrough"],
    ...["-f", "framemd5", "-"],
  )
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(",").at(-1)?.trim())

const sliceTypes = (file: Buffer) =>
  (readFragments(file)?.samples ?? []).flatMap(({ data }) => {
    const types: Array<number> = []
    for (let at = 0; at < data.length; at += 4 + data.readUInt32BE(at))
      types.push((data[at + 4] ?? 0) & 31)
    return types
  })

const topOf = (rungs: ReadonlyArray<Rung>) => rungs.at(-1)?.name ?? ""

describe("the top rung is the source itself", () => {
  const sources = {
    "b-frames": ["keyint=60:bframes=3:scenecut=0", [], "25"],
    "filler and clocks": [
      "keyint=50:nal-hrd=cbr:vbv-maxrate=250:vbv-bufsize=250:aud=1",
      ["-b:v", "250k"],
      "25",
    ],
    "slices in each picture": ["keyint=60:slices=4:bframes=0:crf=32", [], "25"],
    "far reordering at few frames": ["keyint=15:bframes=8:b-adapt=0:b-pyramid=normal", [], "5"],
  } as const
  for (const [name, [x264, more, rate]] of Object.entries(sources)) {
    test(
      `${name}: the same pictures at the same times in every rung, slices alone`,
      async () => {
        const file = make(`${name.replaceAll(" ", "-")}.mp4`, x264, more, rate)
        const { rungs, made, files } = await transcode(file)
        const top = files.get(topOf(rungs)) ?? ""
        expect(topOf(rungs)).toBe("240p-source")
        expect(pictures(top)).toEqual(pictures(file))
        for (const rung of files.values()) expect(frameTimes(rung)).toEqual(frameTimes(file))
        expect(new Set(sliceTypes(Buffer.from(await Bun.file(top).arrayBuffer())))).toEqual(
          new Set([1, 5]),
        )
        expect(made.every(({ refused }) => refused === undefined)).toBe(true)
        expect(made.at(-1)?.way).toBe("copied")
      },
      patience,
    )
  }

  test(
    "a level and a clock that lie are written anew",
    async () => {
      const honest = make("honest.mp4", "keyint=60:nal-hrd=vbr:vbv-maxrate=300:vbv-bufsize=300")
      const file = join(directory, "lies.mp4")
      const lies = "h264_metadata=level=6.2:tick_rate=1000:fixed_frame_rate_flag=1"
      ffmpeg("-i", honest, "-c", "copy", "-bsf:v", lies, file)
      const { rungs, files } = await transcode(file)
      const top = Buffer.from(await Bun.file(files.get(topOf(rungs)) ?? "").arrayBuffer())
      const record = pictureTrack(top, 0)?.avcC ?? Buffer.alloc(0)
      const [set = Buffer.alloc(0)] = readAvcC(record).sequence
      expect(codecsOf(set)).toBe(rungs.at(-1)?.codecs ?? "")
      expect(readSequenceSet(set)).toMatchObject({
        level: 13,
        hasClock: false,
        pixelAspect: [1, 1],
        colour: [6, 6, 6],
        restriction: { reorder: 2, buffering: 4 },
      })
      expect(pictures(files.get(topOf(rungs)) ?? "")).toEqual(pictures(honest))
    },
    patience,
  )

  test(
    "parameter sets that change on the way are met in the bytes: encoded instead",
    async () => {
      const [one, other] = ["keyint=60:ref=1", "keyint=60:ref=4:cabac=0"].map((x264, i) =>
        make(`part-${i}.ts`, x264),
      )
      const file = join(directory, "joined.mp4")
      ffmpeg("-i", `concat:${one}|${other}`, "-c", "copy", "-tag:v", "avc1", file)
      const { rungs, made, files } = await transcode(file)
      const refused = made.flatMap((encoded) => encoded.refused ?? [])
      expect(topOf(rungs)).toBe("240p-source")
      expect(refused[0]).toMatchObject({ rung: "240p-source" })
      expect([...files.keys()]).toContain("240p")
      expect(frameTimes(files.get(rungs[0]?.name ?? "") ?? "")).toEqual(frameTimes(file))
    },
    patience,
  )
})

describe("refused by the index, with every reason", () => {
  const made = (name: string, x264: string, more: ReadonlyArray<string> = []) =>
    codes(make(name, x264, more))
  test(
    "pictures that are not ours to show",
    async () => {
      expect(
        await made("open.mp4", "open-gop=1:keyint=50:min-keyint=50:bframes=3:scenecut=0"),
      ).toEqual(["open-gop"])
      expect(await made("interlaced.mp4", "keyint=50:interlaced=1:crf=32")).toEqual([
        "interlaced",
        "interlaced",
      ])
      expect(await made("aspect.mp4", "keyint=50", ["-vf", "setsar=4/3"])).toEqual([
        "pixel-aspect",
        "pixel-aspect",
        "size",
      ])
      expect(await made("range.mp4", "keyint=50", ["-color_range", "pc"])).toEqual(["full-range"])
      expect(await made("444.mp4", "keyint=50", ["-pix_fmt", "yuv444p"])).toEqual([
        "profile",
        "chroma",
      ])
      expect(await made("hlg.mp4", "keyint=50", ["-color_trc", "arib-std-b67"])).toEqual([
        "hdr",
        "colour",
      ])
      expect(await made("sparse.mp4", "keyint=400:min-keyint=400")).toEqual([])
      expect(await made("heavy.mp4", "keyint=50:qp=1")).toEqual(["bit-rate", "peak-bit-rate"])
    },
    patience,
  )
  test(
    "what the container does to them",
    async () => {
      const plain = make("plain.mp4", "keyint=50")
      const [cut, turned] = [join(directory, "cut.mp4"), join(directory, "turned.mp4")]
      ffmpeg("-ss", "1.2", "-i", plain, "-c", "copy", cut)
      ffmpeg("-i", plain, "-c", "copy", "-metadata:s:v", "rotate=180", turned)
      expect(await codes(cut)).toContain("edit-cuts-gop")
      expect(await codes(turned)).toEqual(["rotation"])
    },
    patience,
  )
})

const corpus = process.env.REELOG_MEDIA ?? ""
const copied = [
  "variety/mp4_h264_aac_flower_moov_first.mp4",
  "variety/h264_2byte_nal_length.mp4",
  "variety/awesome_movie.mov",
  "variety/undefined_dar_vfr.mp4",
]
for (const name of copied) {
  const file = join(corpus, name)
  test.skipIf(corpus === "" || !existsSync(file))(
    `${name}: its own pictures`,
    async () => {
      const { rungs, files } = await transcode(file)
      expect(topOf(rungs)).toEndWith("-source")
      expect(pictures(files.get(topOf(rungs)) ?? "")).toEqual(pictures(file))
    },
    patience,
  )
}
