import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { type Encoded, MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "modes-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

const clip = join(directory, "clip.mkv")

/** The third piece of a clip, whole ladder, in each of these modes. */
const encodedAs = (modes: ReadonlyArray<{ readonly isHurried: boolean }>) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(clip)
      const { rungs, index } = yield* tools.inspect(source, directory)
      const piece = (yield* tools.split(index, rungs))[2]?.piece
      if (piece === undefined) throw new Error("no third piece")
      return yield* Effect.forEach(modes, (mode, i) => {
        const folder = join(directory, `${i}`)
        mkdirSync(folder, { recursive: true })
        return tools.encode({ source, index, piece, rungs, directory: folder, ...mode })
      })
    }),
  )

const hashesOf = ({ rungs }: Encoded) =>
  rungs.map(({ rung, segments }) => [
    rung,
    ...segments.map(({ data }) => new Bun.CryptoHasher("sha256").update(data).digest("hex")),
  ])

test("the same piece gives the same bytes; in a hurry others, under the same headers", async () => {
  ffmpeg(
    ...["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=10", "-c:v", "libx264"],
    ...["-preset", "ultrafast", "-pix_fmt", "yuv420p", clip],
  )
  const modes = [false, false, true].map((isHurried) => ({ isHurried }))
  const [one, again, hurried] = await encodedAs(modes)
  if (one === undefined || again === undefined || hurried === undefined) throw new Error("none")
  expect(hashesOf(again)).toEqual(hashesOf(one))
  expect(hashesOf(hurried)).not.toEqual(hashesOf(one))
  for (const [i, { rung, init, segments }] of hurried.rungs.entries()) {
    const normal = one.rungs[i]
    expect(rung).toBe(normal?.rung ?? "")
    expect(Buffer.from(init).equals(Buffer.from(normal?.init ?? []))).toBe(true)
    expect(segments.map(({ k, start, duration }) => [k, start, duration])).toEqual(
      normal?.segments.map(({ k, start, duration }) => [k, start, duration]) ?? [],
    )
  }
})
