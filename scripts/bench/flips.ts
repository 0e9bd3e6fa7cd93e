/** Thousands of damaged files against what reads them: nothing of ours may break, nothing may hang. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { fateOf, flipped, smallFiles } from "#infra/media/flips.ts"

const MOST_SECONDS = 120
const REPORT_EVERY = 500

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    from: { type: "string", default: "0" },
  },
})
const first = Number(values.from)
const past = first + Number(values.count)

const directory = mkdtempSync(join(tmpdir(), "flips-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
const files = smallFiles(directory).map((path) => readFileSync(path))
const outcomes = new Map<string, number>()
const wrong: Array<string> = []
let slowest = { seed: first, seconds: 0 }
let next = first

const work = async (slot: number) => {
  const own = join(directory, String(slot))
  mkdirSync(own)
  while (next < past) {
    const seed = next++
    const file = files[seed % files.length] ?? Buffer.alloc(0)
    const { outcome, seconds } = await runtime.runPromise(fateOf(flipped(file, seed), own))
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (seconds > slowest.seconds) slowest = { seed, seconds }
    if (outcome.startsWith("defect") || seconds > MOST_SECONDS)
      wrong.push(`seed ${seed}: ${outcome}, ${seconds.toFixed(1)} s`)
    if ((seed + 1 - first) % REPORT_EVERY === 0) console.error(`${seed + 1 - first} done`)
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, (_, slot) => work(slot)))
await runtime.dispose()
rmSync(directory, { recursive: true })

for (const [outcome, count] of [...outcomes].sort(([, a], [, b]) => b - a))
  console.log(`${String(count).padStart(6)} ${outcome}`)
console.log(`slowest: seed ${slowest.seed}, ${slowest.seconds.toFixed(1)} s`)
for (const line of wrong) console.log(`WRONG ${line}`)
process.exit(wrong.length === 0 ? 0 : 1)
