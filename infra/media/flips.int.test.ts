import { afterAll, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { fateOf, flipped, smallFiles } from "./flips.ts"

const flips = 20
const mostSeconds = 60

const directory = mkdtempSync(join(tmpdir(), "flips-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

test("good files with a few changed bytes play or are refused by a code, in bounded time", async () => {
  const files = smallFiles(directory).map((path) => readFileSync(path))
  for (const file of files) {
    const { outcome } = await runtime.runPromise(fateOf(file, directory))
    expect(outcome).toBe("plays")
  }
  for (let seed = 0; seed < flips; seed++) {
    const file = files[seed % files.length] ?? Buffer.alloc(0)
    const fate = await runtime.runPromise(fateOf(flipped(file, seed), directory))
    expect([seed, fate.outcome]).toEqual([seed, expect.stringMatching(/^[a-z_]+$|^damaged$/)])
    expect(fate.seconds).toBeLessThan(mostSeconds)
  }
}, 600_000)
