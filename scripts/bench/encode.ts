/**
 * What the platform spends on a video, beside one bare ffmpeg process making the same ladder. Both
 * sides run in one go, one after the other: take the ratios, the seconds are this machine's.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { basename, join } from "node:path"
import { parseArgs } from "node:util"
import { forget, madeVideo, startPlatform, type TestPlatform } from "../../apps/platform/testing.ts"
import {
  cutTo,
  LOOKS_AS_FAR,
  ladderInOneProcess,
  ladderLikePeerTube,
  onePass,
  type Rung,
  ssim,
  videoBytes,
} from "./bare.ts"
import { idleShare, publish, rendition, rungsOf, tasksOf } from "./encoded.ts"
import { adoptOrphans } from "./usage.ts"

const CORPUS = join(process.env.REELOG_MEDIA ?? "", "clips")
const WORKERS = 2
/** Frames this near to where two pieces meet are looked at. */
const NEAR_SECONDS = 0.5

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "24" },
    "encode-all": { type: "boolean", default: false },
  },
})
const seconds = Number(values.seconds)
const slots = WORKERS * Math.max(1, Math.floor(availableParallelism() / WORKERS))

const mean = (numbers: ReadonlyArray<number>) =>
  numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length)
const ratio = (mine: number, theirs: number) => (mine / theirs).toFixed(3)
const percent = (mine: number, theirs: number) => {
  const more = (mine / theirs - 1) * 100
  return `${more > 0 ? "+" : ""}${more.toFixed(2)} %`
}
const row = (id: string, text: string) => console.log(`  ${id.padEnd(3)} ${text}`)

const clipsOf = (directory: string): ReadonlyArray<string> => {
  if (positionals.length > 0) return positionals
  if (existsSync(CORPUS))
    return readdirSync(CORPUS)
      .sort()
      .map((name) => join(CORPUS, name))
  return [madeVideo(directory, "made.mp4", seconds, "1280x720")]
}

/** P3: pieces against one pass with the same key frames, in one rung. */
const againstOnePass = async (
  source: string,
  rungs: ReadonlyArray<Rung>,
  hlsUrl: string,
  borders: ReadonlyArray<number>,
  directory: string,
) => {
  const rung = rungs[Math.floor((rungs.length - 1) / 2)]
  if (rung === undefined) return "not measured: no rung"
  const pieces = await rendition(hlsUrl, rung, directory)
  const larger = rungs.slice(rungs.indexOf(rung) + 1).reverse()
  const whole = join(directory, "whole.mp4")
  await onePass(source, larger, rung, pieces.starts, whole)
  const [mine, theirs] = [await videoBytes(pieces.file), await videoBytes(whole)]
  const [mySsim, theirSsim] = [
    await ssim(pieces.file, source, rung),
    await ssim(whole, source, rung),
  ]
  const perSecond = mySsim.length / seconds
  const isNear = (frame: number) =>
    borders.some((border) => border > 0 && Math.abs(frame / perSecond - border) <= NEAR_SECONDS)
  const losses = mySsim
    .map((value, frame) => ({ loss: value - (theirSsim[frame] ?? 0), frame }))
    .filter(({ frame }) => isNear(frame))
    .map(({ loss }) => loss)
  return [
    `${rung.name} in ${borders.length} pieces: bits ${percent(mine.bytes, theirs.bytes)}`,
    `SSIM ${mean(mySsim).toFixed(5)} / ${mean(theirSsim).toFixed(5)}`,
    `worst frame at a border ${Math.min(0, ...losses).toFixed(4)}`,
    `frames ${mine.frames} / ${theirs.frames}`,
  ].join("; ")
}

interface Side {
  readonly seconds: number
  readonly fileOf: (rung: Rung) => string
}

interface Measured {
  readonly source: string
  readonly mine: Side & { readonly programs: number }
  readonly rungs: ReadonlyArray<Rung>
  readonly directory: string
}

const isCopied = ({ name }: Rung) => name.endsWith("-source")

/** P1: the top rung copied, beside those that encode it. Seen is the largest rung that both encode. */
const againstWhole = async (
  { source, mine, rungs, directory }: Measured,
  bare: Side,
  framesPerSecond: number,
) => {
  const bitsPerSecond = (8 * (await videoBytes(source)).bytes) / seconds
  const peerTube = await ladderLikePeerTube(
    ...([source, rungs, { framesPerSecond, bitsPerSecond }, directory] as const),
  )
  const seen = rungs.at(-2)
  const seenBy = async (side: Side) =>
    seen === undefined ? 0 : mean(await ssim(side.fileOf(seen), source, seen))
  const mySsim = await seenBy(mine)
  for (const [name, side, goal] of [
    ["one process", bare, "0.52"],
    ["PeerTube's options", peerTube, "0.35"],
  ] as const) {
    row(
      "P1",
      [
        `top rung copied, beside ${name}: CPU ${ratio(mine.seconds, side.seconds)} (goal ${goal})`,
        `programs alone ${ratio(mine.programs, side.seconds)}`,
        `SSIM of ${seen?.name} ${mySsim.toFixed(5)} / ${(await seenBy(side)).toFixed(5)}`,
      ].join("; "),
    )
  }
}

/** Bits per second of a ladder that is the same for every video (MediaCMS's), by the short side. */
const FIXED = [
  [1080, 4_500_000],
  [720, 2_500_000],
  [480, 1_000_000],
  [360, 500_000],
  [240, 300_000],
] as const

/** P7: what such a ladder would hold, no rung larger than the source, at its nominal rates. */
const fixedBytes = ({ width, height }: Rung) => {
  const short = Math.min(width, height)
  const rates = FIXED.flatMap(([side, rate]) => (side <= short ? [rate] : []))
  return (rates.reduce((sum, rate) => sum + rate, 0) * seconds) / 8
}

/** P2: all rungs encoded, beside one process that makes the same. */
const againstSame = async (
  { source, mine, rungs, directory }: Measured,
  bare: Side,
  starts: ReadonlyArray<number>,
) => {
  const top = rungs.at(-1)
  if (top === undefined) return
  const bytesOf = async (of: (rung: Rung) => string) => {
    let bytes = 0
    for (const rung of rungs) bytes += (await videoBytes(of(rung))).bytes
    return bytes
  }
  const myBytes = await bytesOf(mine.fileOf)
  const near = rungs.slice(1).map((rung, i) => ({ rung, smaller: rungs[i] ?? rung }))
  const steps = await Promise.all(
    near.map(async ({ rung, smaller }) => {
      const [more, less] = [mine.fileOf(rung), mine.fileOf(smaller)].map(videoBytes)
      return ((await more)?.bytes ?? 0) / ((await less)?.bytes ?? 1)
    }),
  )
  row(
    "P7",
    [
      `bytes beside a fixed ladder ${ratio(myBytes, fixedBytes(top))} (goal 0.45)`,
      `each rung ${steps.map((step) => step.toFixed(2)).join(", ")} times the one below (goal: none under 1.6)`,
    ].join("; "),
  )
  const mySsim = mean(await ssim(mine.fileOf(top), source, top))
  const same = await ladderInOneProcess(source, rungs, starts, directory, LOOKS_AS_FAR)
  for (const [name, side] of [
    ["one process", bare],
    ["one process that looks ahead as far", same],
  ] as const) {
    const theirSsim = mean(await ssim(side.fileOf(top), source, top))
    row(
      "P2",
      [
        `all rungs encoded, beside ${name}: CPU ${ratio(mine.seconds, side.seconds)} (goal 0.95)`,
        `programs alone ${ratio(mine.programs, side.seconds)}`,
        `bytes ${ratio(myBytes, await bytesOf(side.fileOf))} (goal 1.01)`,
        `SSIM of ${top.name} ${mySsim.toFixed(5)} / ${theirSsim.toFixed(5)}`,
      ].join("; "),
    )
  }
}

const measure = async (platform: TestPlatform, clip: string, idle: number, directory: string) => {
  mkdirSync(directory)
  const source = await cutTo(clip, seconds, join(directory, "source.mp4"))
  const published = await publish(platform, source, idle)
  const tasks = await tasksOf(platform, published.videoId, slots)
  const rungs = await rungsOf(platform, published.videoId)
  const top = rungs.at(-1)
  if (top === undefined) throw new Error("no rung")
  const { starts } = await rendition(published.hlsUrl, top, directory)
  const bare = await ladderInOneProcess(source, rungs, starts, directory)

  console.log(`\n${basename(clip)}, ${seconds} s: ${rungs.map(({ name }) => name).join(" ")}`)
  console.log(
    `  platform ${published.seconds.toFixed(2)} CPU s (${published.all.toFixed(2)} in ${published.elapsed.toFixed(0)} s, idle ${(idle * 100).toFixed(1)} % taken off; its programs ${tasks.seconds.toFixed(2)}, of these video ${tasks.encodeSeconds.toFixed(2)}, the rung watched first, of the first pieces, ${tasks.earlySeconds.toFixed(2)}), one process ${bare.seconds.toFixed(2)} CPU s: ratio ${ratio(published.seconds, bare.seconds)}`,
  )
  const shares = published.byName.map(({ name, spent }) => `${name} ${spent.toFixed(2)}`)
  row("", `by process, idle included: ${shares.join(", ")}`)
  const files = new Map<string, string>()
  for (const rung of rungs) {
    files.set(rung.name, (await rendition(published.hlsUrl, rung, directory)).file)
  }
  const fileOf = ({ name }: Rung) => files.get(name) ?? ""
  const mine = { seconds: published.seconds, programs: tasks.seconds, fileOf }
  const measured = { source, mine, rungs, directory }
  if (isCopied(top)) await againstWhole(measured, bare, top.framesPerSecond)
  else await againstSame(measured, bare, starts)
  row("P3", await againstOnePass(source, rungs, published.hlsUrl, tasks.borders, directory))
  const outside = published.seconds - tasks.seconds
  row(
    "P6",
    [
      `slots busy with video ${(tasks.slotShare * 100).toFixed(0)} % (goal 92, with more queued), with any media ${(tasks.workerShare * 100).toFixed(0)} %`,
      `outside the programs ${(outside / tasks.count).toFixed(3)} CPU s a task (goal 0.15), ${((outside / published.seconds) * 100).toFixed(1)} % (goal 3); ${tasks.count} tasks, ${tasks.encodes} of video`,
    ].join("; "),
  )
  return published.seconds / bare.seconds
}

adoptOrphans()
const directory = mkdtempSync(join(tmpdir(), "reelog-bench-"))
const platform = await startPlatform({
  workers: WORKERS,
  env: { REELOG_COPY_TOP_RUNG: String(!values["encode-all"]) },
})
try {
  // The first video also pays for code that is loaded and compiled then.
  await publish(platform, madeVideo(directory, "warm.mp4", 4, "320x180"), 0)
  const idle = await idleShare(platform)
  const ratios: Array<number> = []
  for (const [i, clip] of clipsOf(directory).entries()) {
    ratios.push(await measure(platform, clip, idle, join(directory, String(i))))
  }
  console.log(`\nall: mean ratio of CPU ${mean(ratios).toFixed(3)} over ${ratios.length} clips`)
} finally {
  await platform.stop()
  forget(platform)
  rmSync(directory, { recursive: true, force: true })
}
