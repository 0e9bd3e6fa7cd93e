import { afterAll, expect, test } from "bun:test"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools, type SegmentFile } from "./port.ts"
import { fileSource, frameTimes, writeStream } from "./testing.ts"

// Real files, where a folder of them is named by REELOG_MEDIA: the lowest rung of each.

const folder = process.env.REELOG_MEDIA ?? ""
const files = [
  "clips/sintel_trailer_720p24_52s.mp4",
  "variety/mp4_h264_aac_flower_moov_first.mp4",
  "variety/ts_h264_dts_audio.ts",
  "variety/mkv_ac3_ass_subs.mkv",
  "variety/webm_vp8_vorbis_flower.webm",
  "variety/flv_h264_aac_vfr60.flv",
]

const directory = mkdtempSync(join(tmpdir(), "corpus-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})

const lowestRung = (file: string) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      const source = fileSource(file)
      const { media, rungs, index } = yield* tools.inspect(source, directory)
      const lowest = rungs.slice(0, 1)
      const segments: Array<SegmentFile> = []
      let init: Uint8Array = new Uint8Array()
      for (const { piece } of yield* tools.split(index, lowest)) {
        const encoded = yield* tools.encode({ source, index, piece, rungs: lowest, directory })
        init = encoded.rungs[0]?.init ?? init
        segments.push(...(encoded.rungs[0]?.segments ?? []))
      }
      const name = lowest[0]?.name ?? ""
      writeStream(directory, media, lowest, [{ name, init, segments }])
      return join(directory, `${name}.m3u8`)
    }),
  )

for (const name of files) {
  const file = join(folder, name)
  test.skipIf(folder === "" || !existsSync(file))(
    `${name}: every frame, at its time`,
    async () => {
      const times = frameTimes(file)
      const stream = frameTimes(await lowestRung(file))
      expect(stream.length).toBe(times.length)
      const shift = (stream[1] ?? 0) - (times[1] ?? 0)
      const off = stream.map((time, i) => (i === 0 ? 0 : Math.abs(time - shift - (times[i] ?? 0))))
      expect(Math.max(...off)).toBeLessThan(0.0011)
    },
    120_000,
  )
}
