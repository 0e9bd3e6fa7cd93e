/** For tests: good files with a few bytes changed, the same ones for a seed, and what becomes of them. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Cause, Effect, Exit, Option } from "effect"
import { MediaTools } from "./port.ts"
import { ffmpeg, fileSource } from "./testing.ts"

/** Mulberry32: numbers in [0, 1). */
const randomOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const mostFlips = 16
const headBytes = 4096

/** One to sixteen bytes; half of the times where a container keeps what it says of itself: at its ends. */
export const flipped = (bytes: Uint8Array, seed: number): Uint8Array => {
  const random = randomOf(seed)
  const changed = Uint8Array.from(bytes)
  const isAtEnds = random() < 0.5
  const count = 1 + Math.floor(random() ** 2 * mostFlips)
  for (let i = 0; i < count; i++) {
    const near = Math.floor(random() * Math.min(headBytes, bytes.length))
    const anywhere = Math.floor(random() * bytes.length)
    const end = random() < 0.5 ? near : bytes.length - 1 - near
    const at = isAtEnds ? end : anywhere
    changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  }
  return changed
}

const muxers = ["mp4", "mov", "mkv", "webm", "ts", "flv", "avi", "mpg", "ogg", "asf"] as const
const codecs: Readonly<Record<string, ReadonlyArray<string>>> = {
  webm: ["-c:v", "libvpx", "-c:a", "libopus"],
  ogg: ["-c:v", "libtheora", "-c:a", "libvorbis"],
  avi: ["-c:v", "mpeg4", "-c:a", "libmp3lame"],
  mpg: ["-c:v", "mpeg1video", "-c:a", "mp2"],
  asf: ["-c:v", "msmpeg4", "-c:a", "wmav2"],
}
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "1", "-c:a", "aac"]

/** A small one of each container that is taken. */
export const smallFiles = (directory: string): ReadonlyArray<string> =>
  muxers.map((name) => {
    const path = join(directory, `small.${name}`)
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=0.6"],
      ...["-f", "lavfi", "-i", "sine=f=440:d=0.6", "-pix_fmt", "yuv420p", "-g", "10"],
      ...[...(codecs[name] ?? h264), path],
    )
    return path
  })

export interface Fate {
  /** `plays`, `damaged`, a code of refusal, the name of another failure; `defect: …` for a bug of ours. */
  readonly outcome: string
  readonly seconds: number
}

/** Inspected, and encoded where it is let in. */
export const fateOf = Effect.fn("fateOf")(function* (bytes: Uint8Array, directory: string) {
  const tools = yield* MediaTools
  const path = join(directory, "flipped")
  writeFileSync(path, bytes)
  const source = fileSource(path)
  const began = performance.now()
  const exit = yield* Effect.gen(function* () {
    const { media, rungs, index } = yield* tools.inspect(source, directory)
    const lowest = rungs.slice(0, 1)
    let isDamaged = media.damaged === true
    for (const { piece } of yield* tools.split(index, lowest)) {
      const encoded = yield* tools.encode({ source, index, piece, rungs: lowest, directory })
      isDamaged ||= encoded.isDamaged === true
    }
    const emit = () => Effect.void
    const { audio } = yield* tools.encodeAudio({ source, index, directory, emit })
    return isDamaged || audio.damaged === true ? "damaged" : "plays"
  }).pipe(Effect.exit)
  yield* source.close
  const failure = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
  const outcome = Exit.isSuccess(exit)
    ? exit.value
    : Option.match(failure, {
        onNone: () => `defect: ${Cause.pretty(exit.cause).split("\n")[0]}`,
        onSome: (reason) => (reason._tag === "SourceRefused" ? reason.code : reason._tag),
      })
  const fate: Fate = { outcome, seconds: (performance.now() - began) / 1000 }
  return fate
})
