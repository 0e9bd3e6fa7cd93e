/**
 * Uploads every file of a folder of test videos by the command line and compares what came of it
 * with the folder's manifest and with the file itself: a row for each.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { judged } from "../../apps/platform/judge.ts"
import { forget, reelog, startPlatform, type TestPlatform } from "../../apps/platform/testing.ts"
import { type Expected, expectations, expectedOf, type MediaTold, unexpected } from "./expected.ts"

const FOLDER = process.env.REELOG_MEDIA ?? ""
const SMALL_CLIP = "variety/mp4_h264_aac_flower_moov_first.mp4"
/** One is encoded while another is judged. */
const AT_ONCE = 2

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    only: { type: "string", default: "" },
    names: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
})

interface Told {
  readonly type: string
  readonly data: {
    readonly taskId?: string
    readonly code?: string
    readonly recoverable?: boolean
    readonly cpuSeconds?: number
    readonly outputs?: {
      readonly media?: MediaTold
      readonly work?: { readonly peakMebibytes: number; readonly way?: string }
    }
  }
}

interface Row {
  readonly file: string
  readonly expected: string
  readonly got: string
  readonly isAsExpected: boolean
  readonly why: string
  /** Ways of cutting that encoded its pieces, other than the first one tried. */
  readonly way: string
  readonly cpuSeconds: number
  readonly peakMebibytes: number
  readonly wallSeconds: number
}

type Reach = Pick<TestPlatform, "url" | "token" | "call">

const historyOf = async (platform: Reach, videoId: string) => {
  const answer = await platform.call(`/v1/videos/${videoId}/history`)
  return ((await answer.json()) as { readonly events: ReadonlyArray<Told> }).events
}

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, one) => total + one, 0)

const costOf = (events: ReadonlyArray<Told>) => {
  const done = events.filter(({ type }) => type === "TaskSucceeded")
  const works = done.flatMap(({ data }) => data.outputs?.work ?? [])
  const ways = works.flatMap(({ way }) => (way === undefined ? [] : [way]))
  const counted = [...new Set(ways)].map(
    (way) => `${way} ${ways.filter((it) => it === way).length}`,
  )
  return {
    way: counted.join(", ") || "-",
    cpuSeconds: sum(done.map(({ data }) => data.cpuSeconds ?? 0)),
    peakMebibytes: Math.max(0, ...works.map(({ peakMebibytes }) => peakMebibytes)),
    media: done.findLast(({ data }) => data.outputs?.media !== undefined)?.data.outputs?.media,
    retries: events.filter(({ type, data }) => type === "TaskFailed" && data.recoverable).length,
  }
}

const rowOf = async (platform: TestPlatform, expected: Expected, path: string): Promise<Row> => {
  const began = performance.now()
  // By its name alone: what a name does, it does as the title too.
  const words = values.names ? [] : ["--title", expected.file]
  const { exit, result, err } = await reelog(
    ...([platform, "upload", path, ...words, "--wait", "published"] as const),
  )
  const wallSeconds = (performance.now() - began) / 1000
  const events = result?.videoId === undefined ? [] : await historyOf(platform, result.videoId)
  const { media, retries, ...cost } = costOf(events)
  const row = { file: expected.file, expected: expected.text, ...cost, wallSeconds }
  const again = retries > 0 ? [`${retries} tries failed`] : []
  if (exit !== 0) {
    const code = String(result?.code ?? err.slice(-200))
    const isAsExpected = expected.codes.includes(code)
    const why = [...(isAsExpected ? [] : ["another outcome"]), ...again].join("; ")
    return { ...row, got: code, isAsExpected: isAsExpected && retries === 0, why }
  }
  if (media === undefined) return { ...row, got: "published", isAsExpected: false, why: "no media" }
  const found = await judged(path, result.hlsUrl)
  const isDamaged = media.damaged === true
  const problems = [...unexpected(expected, media, found), ...found.problems, ...again]
  const isForgiven = isDamaged && expected.mayPlay && expected.shown === null
  const got = [
    `${isDamaged ? "damaged, " : ""}${media.video.width}x${media.video.height}`,
    `${found.frames} frames`,
    `${found.seconds.toFixed(3)} s`,
    found.hasSound ? "sound" : "no sound",
  ].join(", ")
  return {
    ...row,
    got,
    isAsExpected: expected.mayPlay && (problems.length === 0 || isForgiven),
    why: [...problems, ...found.notes].join("; "),
  }
}

/** One small clip under names that people and attackers give. */
const namedFiles = (directory: string) =>
  readFileSync(join(FOLDER, "HOSTILE-NAMES.txt"), "utf8")
    .split("\n")
    .filter((name) => name !== "")
    .map((name, i) => {
      const folder = join(directory, String(i))
      mkdirSync(folder)
      const path = join(folder, name)
      copyFileSync(join(FOLDER, SMALL_CLIP), path)
      return { expected: { ...expectedOf(name, "plays"), file: name }, path }
    })

const chosen = (directory: string) => {
  if (values.names) return namedFiles(directory)
  const pattern = new RegExp(values.only)
  return expectations(readFileSync(join(FOLDER, "MANIFEST.tsv"), "utf8"))
    .filter(({ file }) => pattern.test(file))
    .map((expected) => ({ expected, path: join(FOLDER, expected.file) }))
}

const show = (row: Row) => {
  if (values.json) return console.log(JSON.stringify(row))
  const { file, got, isAsExpected, why, way, cpuSeconds, peakMebibytes, wallSeconds } = row
  const verdict = isAsExpected ? "exact" : "NOT"
  const cost = `${cpuSeconds.toFixed(1)} CPU s, ${wallSeconds.toFixed(1)} s, ${peakMebibytes} MiB`
  console.log(`${verdict.padEnd(5)} ${file}\n      expected ${row.expected}`)
  console.log(`      got ${got}; way ${way}; ${cost}${why === "" ? "" : `\n      ${why}`}`)
}

const directory = mkdtempSync(join(tmpdir(), "corpus-"))
const platform = await startPlatform()
const rows: Array<Row> = []
const queue = [...chosen(directory)]
const work = async () => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { expected, path } = next
    const row = await rowOf(platform, expected, path).catch(
      (reason: unknown): Row => ({
        ...{ file: expected.file, expected: expected.text, got: "nothing", isAsExpected: false },
        ...{ why: String(reason), way: "-", cpuSeconds: 0, peakMebibytes: 0, wallSeconds: 0 },
      }),
    )
    rows.push(row)
    show(row)
  }
}
try {
  await Promise.all(Array.from({ length: AT_ONCE }, work))
} finally {
  await platform.stop()
  forget(platform)
  rmSync(directory, { recursive: true })
}
const wrong = rows.filter(({ isAsExpected }) => !isAsExpected)
if (!values.json) console.log(`${rows.length - wrong.length} of ${rows.length} as expected`)
process.exit(wrong.length === 0 ? 0 : 1)
