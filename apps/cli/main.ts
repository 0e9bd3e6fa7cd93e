/** `reelog`, the command line: terminal or not, the media programs for `plan`, and the exit code. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { version } from "../../package.json"
import { stateDirectory } from "./journal.ts"
import { run } from "./run.ts"
import { terminalBars } from "./terminal-bars.ts"

/** Loaded when a plan is asked for: no other command needs them. */
const mediaTools = Layer.unwrap(
  Effect.promise(async () => (await import("#infra/media/ffmpeg.ts")).ffmpegMediaTools),
).pipe(Layer.provide(environmentLayer()))

/** What a pipe has not taken yet would be lost with the process. */
const flush = Effect.callback<void>((resume) => {
  process.stdout.write("", () => resume(Effect.void))
})

const program = Effect.gen(function* () {
  const code = yield* run(process.argv.slice(2), {
    version,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    bars: process.stdout.isTTY ? terminalBars(process.stdout) : undefined,
    stateDirectory: stateDirectory(process.env),
    mediaTools,
  })
  process.exitCode = code
  yield* flush
})

NodeRuntime.runMain(Effect.provide(program, NodeServices.layer), {
  disableErrorReporting: true,
  teardown: (_, onExit) => onExit(Number(process.exitCode ?? 0)),
})
