/**
 * Runs ffmpeg and ffprobe on a file nobody trusts: in bubblewrap where user namespaces are allowed,
 * else under Landlock. Which one is tried for real at start, never guessed; where neither works
 * nothing is run. Interrupting the effect kills the program before the interruption is over.
 */
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { SandboxUnavailable } from "../port.ts"
import { type Confined, commandLine, GO, type Kind } from "./command.ts"
import { endProcess } from "./end-process.ts"
import { endingOf, type Outcome } from "./outcome.ts"
import type { Programs } from "./programs.ts"
import { ffmpegFilter } from "./seccomp.ts"
import { watchUsage } from "./usage.ts"

/** A program at work. */
export interface Running {
  /** Waits while the program is slow; false once it no longer reads. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<boolean>
  readonly endOfInput: Effect.Effect<void>
  /** The next bytes of its standard output; `null` at the end. */
  readonly take: Effect.Effect<Uint8Array | null>
  /** After the last `take`. */
  readonly outcome: Effect.Effect<Outcome>
}

export interface Sandbox {
  readonly kind: Kind
  readonly start: (job: Confined) => Effect.Effect<Running, SandboxUnavailable, Scope.Scope>
  readonly run: (
    job: Confined,
  ) => Effect.Effect<Outcome & { readonly stdout: string }, SandboxUnavailable>
}

const stderrBytes = 64 * 1024

const filterDescriptor = (): number => {
  const folder = mkdtempSync(join(tmpdir(), "seccomp-"))
  const path = join(folder, "filter")
  writeFileSync(path, ffmpegFilter())
  const descriptor = openSync(path, "r")
  rmSync(folder, { recursive: true })
  return descriptor
}

const lastWords = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
  const parts: Array<Uint8Array> = []
  let length = 0
  for await (const part of stream) {
    if (length < stderrBytes) parts.push(part.subarray(0, stderrBytes - length))
    length += part.length
  }
  return Buffer.concat(parts).toString("utf8")
}

const spawn = (kind: Kind, programs: Programs, job: Confined) => {
  for (const output of job.outputs) writeFileSync(output, "")
  const filter = kind === "bwrap" ? filterDescriptor() : null
  const started = performance.now()
  const process = Bun.spawn([...commandLine(kind, programs, job, existsSync)], {
    stdio: ["pipe", "pipe", "pipe", ...(filter === null ? [] : [filter])],
    env: programs.environment,
  })
  if (filter !== null) closeSync(filter)
  const usage = watchUsage(process.pid)
  const stderr = lastWords(process.stderr)
  const stdout = process.stdout.getReader()
  let stopped: "wall" | "stdout" | null = null
  let taken = 0
  const stop = (why: "wall" | "stdout") => {
    stopped ??= why
    endProcess(process.pid)
  }
  const { wallSeconds, stdoutBytes } = job.limits
  const timer = setTimeout(() => stop("wall"), Math.min(wallSeconds * 1000, 2 ** 31 - 1))

  /** Its first line says that it has been set up; then it is told to begin. */
  const begin = async () => {
    if (kind === "bwrap") {
      await stdout.read()
      await write(Buffer.from(GO))
    }
    if (job.input !== null) await endOfInput()
  }
  const take = async () => {
    await begun
    const { value } = await stdout.read()
    taken += value?.length ?? 0
    if (taken <= stdoutBytes) return value ?? null
    stop("stdout")
    return null
  }
  const write = async (bytes: Uint8Array) => {
    try {
      process.stdin?.write(bytes)
      await process.stdin?.flush()
      return process.exitCode === null
    } catch {
      // It has read enough, or has ended.
      return false
    }
  }
  const endOfInput = async () => {
    try {
      await process.stdin?.end()
    } catch {
      // Ended already.
    }
  }
  const begun = begin()
  const ended = Promise.all([process.exited, stderr]).then(([, words]): Outcome => {
    clearTimeout(timer)
    const { exitCode, signalCode } = process
    return {
      ...usage.stop(),
      ending: endingOf(exitCode, signalCode === null ? null : String(signalCode), words, stopped),
      exit: exitCode,
      stderr: words,
      wallSeconds: (performance.now() - started) / 1000,
    }
  })
  const kill = async () => {
    if (process.exitCode === null) endProcess(process.pid)
    await ended
  }
  return { begun, take, write, endOfInput, ended, kill }
}

const sandboxOf = (kind: Kind, programs: Programs): Sandbox => {
  const start = Effect.fn("Sandbox.start")(function* (job: Confined) {
    const child = yield* Effect.acquireRelease(
      Effect.try({
        try: () => spawn(kind, programs, job),
        catch: (cause) => new SandboxUnavailable({ detail: String(cause) }),
      }),
      ({ kill }) => Effect.promise(kill),
    )
    return {
      write: (bytes: Uint8Array) =>
        Effect.promise(() => child.begun.then(() => child.write(bytes))),
      endOfInput: Effect.promise(() => child.begun.then(child.endOfInput)),
      take: Effect.promise(child.take),
      outcome: Effect.promise(() => child.ended),
    }
  })

  const run = Effect.fn("Sandbox.run")(function* (job: Confined) {
    const running = yield* start(job)
    const parts: Array<Uint8Array> = []
    for (let part = yield* running.take; part !== null; part = yield* running.take) {
      parts.push(part)
    }
    const outcome = yield* running.outcome
    return { ...outcome, stdout: Buffer.concat(parts).toString("utf8") }
  }, Effect.scoped)

  return { kind, start, run }
}

const trial: Confined = {
  tool: "ffmpeg",
  arguments: ["-v", "error", "-version"],
  input: "/dev/null",
  outputs: [],
  limits: {
    mebibytes: 2048,
    cpuSeconds: 5,
    wallSeconds: 20,
    outputMebibytes: 1,
    stdoutBytes: 64 * 1024,
  },
}

/** The strongest sandbox that this machine and user allow, of the kinds asked for. */
export const openSandbox = Effect.fn("openSandbox")(function* (
  programs: Programs,
  kinds: ReadonlyArray<Kind> = ["bwrap", "landlock"],
) {
  const refusals: Array<string> = []
  for (const kind of kinds) {
    const sandbox = sandboxOf(kind, programs)
    const words = yield* sandbox.run(trial).pipe(
      Effect.map(({ ending, stderr }) => (ending === "ok" ? null : `${ending}: ${stderr.trim()}`)),
      Effect.catch(({ detail }) => Effect.succeed(detail)),
    )
    if (words === null) return sandbox
    refusals.push(`${kind}: ${words.slice(0, 200)}`)
  }
  return yield* new SandboxUnavailable({ detail: refusals.join("; ") })
})
