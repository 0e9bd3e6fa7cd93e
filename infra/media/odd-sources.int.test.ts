import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

setDefaultTimeout(60_000)

const directory = mkdtempSync(join(tmpdir(), "odd-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

test("the pieces of an interlaced source are cut at its own times", async () => {
  const file = join(directory, "interlaced.ts")
  const fields = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct"]
  ffmpeg(
    ...["-f", "lavfi", "-i", "testsrc2=s=320x240:r=50:d=7", ...fields],
    ...["-c:v", "mpeg2video", "-q:v", "3", "-g", "12", "-bf", "2", file],
  )
  const encoded = Effect.gen(function* () {
    const tools = yield* MediaTools
    const source = fileSource(file)
    const { rungs, index } = yield* tools.inspect(source, directory)
    const lowest = rungs.slice(0, 1)
    const pieces = yield* tools.split(index, lowest)
    const made = yield* Effect.forEach(pieces, ({ piece }) =>
      tools.encode({ source, index, piece, rungs: lowest, directory }),
    )
    const frames = pieces.reduce((sum, { piece }) => sum + piece.frames, 0)
    return { frames, ways: made.map(({ way }) => way) }
  })
  const { frames, ways } = await runtime.runPromise(encoded)
  expect(frames).toBe(175)
  expect(ways).toEqual(["sparse", "sparse", "sparse"])
})

test("an only frame has a storyboard", async () => {
  const file = join(directory, "one.mp4")
  ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25", "-frames:v", "1", file)
  const board = Effect.gen(function* () {
    const tools = yield* MediaTools
    const source = fileSource(file)
    const { index } = yield* tools.inspect(source, directory)
    return yield* tools.storyboard({ source, index, directory })
  })
  expect((await runtime.runPromise(board)).sprites.length).toBe(1)
})
