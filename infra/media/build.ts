/** What decides the bits of a result beside its arguments and its source: the programs, the kind of processor, and our own code around them. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { SandboxUnavailable } from "./port.ts"
import type { Programs } from "./sandbox/programs.ts"

/** Code paths of encoders and scalers differ by these. */
const telling = ["avx512f", "avx2", "avx", "sse4_2", "asimd", "sve"]

const processor = () => {
  const told = readFileSync("/proc/cpuinfo", "utf8").split("\n")
  const words = new Set(told.find((line) => /^(flags|Features)\b/.test(line))?.split(/\s+/))
  return [process.arch, ...telling.filter((flag) => words.has(flag))].join(" ")
}

/** Of this folder: what changes here may change what comes out. */
const ownCode = () => {
  const hasher = new Bun.CryptoHasher("sha256")
  const names = readdirSync(import.meta.dir, { recursive: true, encoding: "utf8" })
  for (const name of names.filter((it) => /(?<!test)\.ts$/.test(it)).sort()) {
    hasher.update(name).update(readFileSync(join(import.meta.dir, name)))
  }
  return hasher.digest("hex")
}

const versionOf = async ({ path, environment }: Programs) => {
  const command = [path("ffmpeg"), "-version"]
  const child = Bun.spawn(command, { env: environment, stdout: "pipe", stderr: "ignore" })
  return new Response(child.stdout).text()
}

export const buildOf = Effect.fn("buildOf")(function* (programs: Programs) {
  const version = yield* Effect.tryPromise({
    try: () => versionOf(programs),
    catch: (cause) => new SandboxUnavailable({ detail: `no ffmpeg: ${String(cause)}` }),
  })
  const told = [version, processor(), ownCode()].join("\n")
  return new Bun.CryptoHasher("sha256").update(told).digest("hex")
})
