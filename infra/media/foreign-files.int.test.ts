import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools } from "./port.ts"
import { programsIn } from "./sandbox/programs.ts"
import { openSandbox } from "./sandbox/sandbox.ts"
import { ffmpeg, fileSource } from "./testing.ts"

setDefaultTimeout(60_000)

// Texts under a video's name that ask for other files and hosts: first refused by their looks, then,
// given to the program that would follow them, held by the sandbox alone.

const directory = mkdtempSync(join(tmpdir(), "foreign-"))
let connections = 0
const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { open: () => void connections++, data: () => {} },
})
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  listener.stop(true)
  rmSync(directory, { recursive: true })
})

const canary = join(directory, "canary.ts")
ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-c:v", "mpeg2video", canary)

const listed = (uri: string) =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\n${uri}\n#EXT-X-ENDLIST\n`
const texts = {
  "local.mp4": { demuxer: "hls", text: listed(`file://${canary}`) },
  "host.avi": { demuxer: "hls", text: listed(`http://127.0.0.1:${listener.port}/x.ts`) },
  "concat.mov": {
    demuxer: "hls",
    text: listed(`concat:http://127.0.0.1:${listener.port}/|file://${canary}`),
  },
  "script.mkv": { demuxer: "concat", text: `ffconcat version 1.0\nfile '${canary}'\n` },
}
const all = "file,http,tcp,concat,crypto,data"
const fearless: Readonly<Record<string, ReadonlyArray<string>>> = {
  hls: ["-allowed_extensions", "ALL"],
  concat: ["-safe", "0"],
}

for (const [name, { demuxer, text }] of Object.entries(texts)) {
  const path = join(directory, name)
  writeFileSync(path, text)

  test(`${name} is no video, and nobody looks where it points`, async () => {
    const looked = Effect.gen(function* () {
      const tools = yield* MediaTools
      return yield* Effect.flip(tools.inspect(fileSource(path), directory))
    })
    expect(await runtime.runPromise(looked)).toMatchObject({ code: "not_a_video" })
    expect(connections).toBe(0)
  })

  test(`${name} leads the program that follows it nowhere`, async () => {
    const read = (input: string) => [
      ...["-v", "error", "-protocol_whitelist", all, "-f", demuxer, ...(fearless[demuxer] ?? [])],
      ...["-show_entries", "packet=size", "-of", "csv", "-i", input],
    ]
    if (!text.includes("http:")) {
      const outside = Bun.spawnSync(["ffprobe", ...read(path)], { stdin: "ignore" })
      expect(outside.stdout.toString()).toContain("packet")
    }
    const limits = { mebibytes: 1024, cpuSeconds: 5, wallSeconds: 20, outputMebibytes: 1 }
    const inside = await Effect.runPromise(
      Effect.gen(function* () {
        const sandbox = yield* openSandbox(programsIn(process.env.REELOG_PROGRAMS || null))
        return yield* sandbox.run({
          ...{ tool: "ffprobe", arguments: read("/in"), input: path, outputs: [] },
          limits: { ...limits, stdoutBytes: 1 << 16 },
        })
      }),
    )
    expect(inside.stdout).not.toContain("packet")
    expect(connections).toBe(0)
  })
}
