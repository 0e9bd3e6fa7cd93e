import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

setDefaultTimeout(60_000)

const directory = mkdtempSync(join(tmpdir(), "damage-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

const good = join(directory, "good.mp4")
ffmpeg(
  ...[
    "-f",
    "lavfi",
    "-i",
    "testsrc2=s=320x240:r=25:d=2",
    "-c:v",
    "libx264",
    "-g",
    "25",
    "-bf",
    "2",
  ],
  ...["-pix_fmt", "yuv420p", "-movflags", "+faststart", good],
)

const changed = (name: string, change: (bytes: Buffer) => Buffer) => {
  const path = join(directory, name)
  writeFileSync(path, change(readFileSync(good)))
  return path
}

/** What is told of a file, and how many frames come of it. */
const played = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(file)
      const { media, rungs, index } = yield* tools.inspect(source, directory)
      const lowest = rungs.slice(0, 1)
      const pieces = yield* tools.split(index, lowest)
      const encoded = yield* Effect.forEach(pieces, ({ piece }) =>
        tools.encode({ source, index, piece, rungs: lowest, directory }),
      )
      return {
        planned: pieces.reduce((sum, { piece }) => sum + piece.frames, 0),
        isTold: media.damaged === true,
        ways: encoded.map(({ way }) => way),
        isDamaged: encoded.some((it) => it.isDamaged),
      }
    }),
  )

test("a whole file is not called damaged", async () => {
  expect(await played(good)).toMatchObject({ planned: 50, isTold: false, isDamaged: false })
})

test("of a truncated file the frames that are whole are planned, and played as planned", async () => {
  const half = changed("half.mp4", (bytes) => bytes.subarray(0, Math.round(bytes.length * 0.6)))
  const { planned, isTold, ways } = await played(half)
  expect(planned).toBeGreaterThan(10)
  expect(planned).toBeLessThan(50)
  expect(isTold).toBe(true)
  expect(ways.every((way) => way === "sparse")).toBe(true)
})

test("a hole in the middle of a file is played over, and told", async () => {
  const holed = changed("holed.mp4", (bytes) => {
    const middle = Math.round(bytes.length * 0.6)
    return bytes.fill(0, middle, middle + Math.round(bytes.length * 0.1))
  })
  expect(await played(holed)).toMatchObject({ isTold: false, isDamaged: true })
})

test("changed bits in pictures are told", async () => {
  const flipped = changed("flipped.mp4", (bytes) => {
    const from = bytes.indexOf("mdat") + 4
    for (let at = from + 1000; at < bytes.length; at += 997) bytes[at] = (bytes[at] ?? 0) ^ 4
    return bytes
  })
  expect((await played(flipped)).isDamaged).toBe(true)
})
