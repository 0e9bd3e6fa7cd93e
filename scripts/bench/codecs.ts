/**
 * What a rung takes in other codecs beside H.264, by the very arguments that the worker gives its
 * encoders: CPU of the whole process, and bytes against those that H.264 would take at the same SSIM,
 * read between three of its own points.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { parseArgs } from "node:util"
import { Effect, ManagedRuntime } from "effect"
import { rungIn } from "#domain/transcode/codecs.ts"
import { Codec, type Rung } from "#domain/transcode/facts.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import { cutOf } from "#infra/media/attempts.ts"
import { encodeArguments } from "#infra/media/encode-arguments.ts"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { MediaTools } from "#infra/media/port.ts"
import { programsIn } from "#infra/media/sandbox/programs.ts"
import { type OpenedIndex, openIndex } from "#infra/media/source-index.ts"
import { fileSource } from "#infra/media/testing.ts"
import { madeVideo } from "../../apps/platform/testing.ts"
import { cutTo, ssim, videoBytes } from "./bare.ts"
import { spend } from "./usage.ts"

const CORPUS = join(process.env.REELOG_MEDIA ?? "", "clips")
/** Of H.264: one to each side of its own 23. */
const POINTS = [18, 29]
const GOAL = { bytes: 0.6, cpu: 2.2 }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "8" },
    height: { type: "string", default: "720" },
  },
})
const seconds = Number(values.seconds)
const ffmpeg = programsIn(process.env.REELOG_PROGRAMS || null).path("ffmpeg")
const runtime = ManagedRuntime.make(ffmpegMediaTools)

const clipsOf = (directory: string): ReadonlyArray<string> => {
  if (positionals.length > 0) return positionals
  if (!existsSync(CORPUS)) return [madeVideo(directory, "made.mp4", seconds, "1280x720")]
  const names = readdirSync(CORPUS).sort()
  return names.map((name) => join(CORPUS, name))
}

const inspected = (source: string, directory: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const file = fileSource(source)
      const found = yield* tools.inspect(file, directory)
      yield* file.close
      const index = { raw: found.index, index: openIndex(found.index) }
      return { rungs: found.rungs, media: found.media, index }
    }),
  )

interface Index {
  readonly index: OpenedIndex
  readonly raw: Uint8Array
}

interface Made {
  readonly cpuSeconds: number
  readonly bytes: number
  /** Decibels. */
  readonly likeness: number
}

const judged = async (file: string, source: string, rung: Rung, cpuSeconds: number) => {
  const likenesses = await ssim(file, source, rung)
  const mean = likenesses.reduce((sum, one) => sum + one, 0) / Math.max(1, likenesses.length)
  const { bytes, frames } = await videoBytes(file)
  if (frames !== likenesses.length) throw new Error(`${file}: ${frames} frames`)
  const likeness = -10 * Math.log10(Math.max(1e-9, 1 - mean))
  return { cpuSeconds, bytes, likeness } satisfies Made
}

/** The whole clip in one rung, as a worker makes it. */
const encode = async (source: string, { index, raw }: Index, rung: Rung, directory: string) => {
  const target = join(directory, `${rung.name}.mp4`)
  const encoded = await runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const file = fileSource(source)
      const piece = { n: 0, from: 0, to: index.end }
      const made = yield* tools.encode({
        ...{ source: file, index: raw, piece, rungs: [rung], directory },
      })
      yield* file.close
      return made
    }),
  )
  const [made] = encoded.rungs
  if (made === undefined) throw new Error(`${rung.name}: nothing was made`)
  await Bun.write(target, Buffer.concat([made.init, ...made.segments.map(({ data }) => data)]))
  return judged(target, source, rung, encoded.cpuSeconds)
}

/** In H.264 by the same arguments, coarser or finer. */
const encodeAt = async (
  source: string,
  { index }: Index,
  rung: Rung,
  directory: string,
  crf: number,
) => {
  const target = join(directory, `${rung.name}-${crf}.mp4`)
  const { cut } = cutOf(index, 0, index.end)
  const words = encodeArguments({
    ...{ index, cut, seek: null, starts: index.grid, isFirst: true, rungs: [rung] },
    local: { path: source, map: `0:${index.video.stream}`, seeks: true, isCut: false },
    ...{ isTolerant: false, isHurried: false },
  }).map((word) => ({ "/in": source, "/out/0": target })[word] ?? word)
  const at = words.indexOf("-crf") + 1
  const asked = words.map((word, i) => (i === at ? String(crf) : word))
  const { seconds: cpuSeconds } = await spend([ffmpeg, "-y", ...asked])
  return judged(target, source, rung, cpuSeconds)
}

/** Between two points, bytes by their logarithm. */
const bytesAt = (points: ReadonlyArray<Made>, likeness: number): number => {
  const [one, two, three] = points.toSorted((a, b) => a.likeness - b.likeness)
  if (one === undefined || two === undefined) return Number.NaN
  const [low, high] = three !== undefined && likeness > two.likeness ? [two, three] : [one, two]
  const share = (likeness - low.likeness) / (high.likeness - low.likeness)
  return low.bytes * (high.bytes / low.bytes) ** share
}

const geometric = (numbers: ReadonlyArray<number>) =>
  Math.exp(numbers.reduce((sum, one) => sum + Math.log(one), 0) / Math.max(1, numbers.length))

const ratios = new Map<string, Array<{ readonly bytes: number; readonly cpu: number }>>()

const compare = async (clip: string, directory: string) => {
  mkdirSync(directory, { recursive: true })
  const source = await cutTo(clip, seconds, join(directory, "source.mp4"))
  const { rungs, media, index } = await inspected(source, directory)
  const fits = rungs.map(encodedInstead).filter(({ height }) => height <= Number(values.height))
  const rung = fits.at(-1)
  if (rung === undefined) return
  const own = await encode(source, index, rung, directory)
  const points = [own]
  for (const crf of POINTS) points.push(await encodeAt(source, index, rung, directory, crf))
  const told = ({ cpuSeconds, bytes, likeness }: Made) =>
    `${cpuSeconds.toFixed(1).padStart(6)} CPU s ${String(Math.round(bytes / 1000)).padStart(6)} kB  SSIM ${likeness.toFixed(2)} dB`
  console.log(`${basename(clip)}, ${rung.name}, ${seconds} s`)
  console.log(`  h264 ${told(own)}`)
  for (const codec of Codec.literals) {
    const other = rungIn(codec, rung, media.video.framesPerSecond)
    const made = await encode(source, index, other, directory)
    const bytes = made.bytes / bytesAt(points, made.likeness)
    const cpu = made.cpuSeconds / own.cpuSeconds
    ratios.set(codec, [...(ratios.get(codec) ?? []), { bytes, cpu }])
    console.log(
      `  ${codec.padEnd(4)} ${told(made)}  bytes ${bytes.toFixed(2)} at equal SSIM, CPU ${cpu.toFixed(2)}`,
    )
  }
}

const directory = mkdtempSync(join(tmpdir(), "reelog-codecs-"))
try {
  for (const [n, clip] of clipsOf(directory).entries()) await compare(clip, join(directory, `${n}`))
  for (const [codec, all] of ratios) {
    const bytes = geometric(all.map((it) => it.bytes))
    const cpu = geometric(all.map((it) => it.cpu))
    const goal = codec === "av1" ? `  (P8: bytes <= ${GOAL.bytes}, CPU <= ${GOAL.cpu})` : ""
    console.log(`${codec.padEnd(4)} bytes ${bytes.toFixed(2)}, CPU ${cpu.toFixed(2)}${goal}`)
  }
} finally {
  await runtime.dispose()
  rmSync(directory, { recursive: true, force: true })
}
