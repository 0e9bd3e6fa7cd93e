/**
 * Keeps processes running: starts one, waits until it says `{"ready": …}` on its first line, starts
 * it again with a growing pause when it ends. One that keeps dying gives up, and with it the
 * platform: a crash loop nobody sees helps nobody.
 */
import { Deferred, Effect, Ref, Schema } from "effect"
import type { ProcessSpec } from "./processes.ts"

/** Two tiers one after the other stay within the platform's own 10 s. */
const STOP_MILLIS = 4_500
const FIRST_PAUSE_MILLIS = 200
const LONGEST_PAUSE_MILLIS = 5_000
/** This many ends within the window are a crash loop. */
const MOST_RESTARTS = 10
const WINDOW_MILLIS = 120_000

export class KeepsDying extends Schema.TaggedError<KeepsDying>()("KeepsDying", {
  process: Schema.String,
  exit: Schema.String,
  /** The last lines it wrote. */
  lastWords: Schema.String,
}) {}

export interface ProcessState {
  readonly spec: ProcessSpec
  readonly pid: number | undefined
  readonly isReady: boolean
  readonly restarts: number
}

export interface Supervised {
  readonly state: Ref.Ref<ProcessState>
  readonly ready: Deferred.Deferred<void>
  /** Ends only by `KeepsDying`; interrupted, it stops the process in order. */
  readonly run: Effect.Effect<never, KeepsDying>
}

/** Lines of a stream as they come; the rest of the output is passed on as it is. */
const readLines = async (stream: ReadableStream<Uint8Array>, each: (line: string) => void) => {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n")
    rest = (lines.pop() ?? "").slice(-65_536)
    lines.forEach(each)
  }
}

const isReadyLine = (line: string) => line.startsWith('{"ready":')

/** Asks every 100 ms until the answer is a success or nobody wants to know any more. */
const untilAnswers = async (url: string, signal: AbortSignal): Promise<boolean> => {
  while (!signal.aborted) {
    const isUp = await fetch(url, { signal }).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return true
    await Bun.sleep(100)
  }
  return false
}

/** One life of the process. The exit is a number, or the signal's name. */
const live = (
  spec: ProcessSpec,
  log: (line: string) => void,
  told: (ready: boolean, pid: number) => void,
) =>
  Effect.callback<string>((resume) => {
    const child = Bun.spawn([process.execPath, "--smol", "--no-orphans", spec.script], {
      cwd: `${import.meta.dir}/../..`,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NODE_ENV: "production",
        REELOG_PARENT_PID: String(process.pid),
        ...spec.env,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      // Its own process group: ctrl-C on the terminal reaches the platform alone, which stops in order.
      detached: true,
    })
    told(spec.ready === "spawned", child.pid)
    const answers = new AbortController()
    if (typeof spec.ready === "object") {
      void untilAnswers(spec.ready.url, answers.signal).then((up) => up && told(true, child.pid))
    }
    const onLine = (line: string) => (isReadyLine(line) ? told(true, child.pid) : log(line))
    const streams = Promise.allSettled([
      readLines(child.stdout, onLine),
      readLines(child.stderr, log),
    ])
    void child.exited.then(async () => {
      answers.abort()
      await streams
      resume(Effect.succeed(String(child.signalCode ?? child.exitCode)))
    })
    return Effect.promise(async () => {
      child.kill("SIGTERM")
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLIS)
      await child.exited
      clearTimeout(timer)
    })
  })

export const supervise = Effect.fnUntraced(function* (
  spec: ProcessSpec,
  log: (line: string) => void,
) {
  const initial: ProcessState = { spec, pid: undefined, isReady: false, restarts: 0 }
  const state = yield* Ref.make(initial)
  const ready = yield* Deferred.make<void>()
  const told = (isReady: boolean, pid: number) => {
    Effect.runSync(Ref.update(state, (known) => ({ ...known, pid, isReady })))
    if (isReady) Effect.runSync(Deferred.succeed(ready, undefined))
  }

  let lastWords: ReadonlyArray<string> = []
  const listen = (line: string) => {
    log(line)
    lastWords = [...lastWords.slice(-4), line]
  }

  const run = Effect.gen(function* () {
    const ends: Array<number> = []
    let pause = FIRST_PAUSE_MILLIS
    while (true) {
      const began = Date.now()
      const exit = yield* live(spec, listen, told)
      const ended = Date.now()
      ends.push(ended)
      log(`ended by ${exit}; starting it again`)
      const recent = ends.filter((time) => ended - time < WINDOW_MILLIS)
      if (recent.length > MOST_RESTARTS) {
        const said = lastWords.join("\n")
        return yield* new KeepsDying({ process: spec.name, exit, lastWords: said })
      }
      yield* Ref.update(state, (known) => ({
        ...known,
        pid: undefined,
        isReady: false,
        restarts: known.restarts + 1,
      }))
      pause = ended - began > WINDOW_MILLIS ? FIRST_PAUSE_MILLIS : pause
      yield* Effect.sleep(pause)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS)
    }
  })
  return { state, ready, run } satisfies Supervised
})
