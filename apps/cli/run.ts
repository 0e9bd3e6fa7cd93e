/** Runs one command line to its end: chooses how to speak, and tells a failure once, in that way. */
import { Cause, Effect, Exit, Layer } from "effect"
import { CliError, CliOutput, Command } from "effect/cli"
import type { MediaTools } from "#infra/media/port.ts"
import { Problem, problem, problemBody, sentence } from "./problem.ts"
import { reelog } from "./reelog.ts"
import { type Bars, jsonScreen, textScreen, type Write } from "./screen.ts"

export interface Surroundings<E> {
  readonly version: string
  readonly out: Write
  readonly err: Write
  /** Of the terminal, if there is one. */
  readonly bars: Bars | undefined
  /** Where begun uploads are remembered. */
  readonly stateDirectory: string
  readonly mediaTools: Layer.Layer<MediaTools, E>
}

/** Help that nobody asked for would not be NDJSON; what was wrong with the line is in the problem. */
const onlyWhatWasAsked = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "Version" || (event._tag === "Help" && event.reason === "Requested")
      ? CliOutput.defaultPresenter.present(event)
      : Effect.void,
})

const usageProblem = (failure: CliError.ShowHelp) => {
  const [first] = failure.errors
  return problem("usage", first?.message ?? "The command line can't be read")
}

const problemIn = (cause: Cause.Cause<unknown>): Problem | undefined => {
  const failure = Cause.squash(cause)
  if (failure instanceof Problem) return failure
  if (failure instanceof CliError.ShowHelp) {
    return failure.errors.length === 0 ? undefined : usageProblem(failure)
  }
  return problem("unexpected", "Something went wrong here", { cause: Cause.pretty(cause) })
}

/** Answers the exit code. */
export const run = Effect.fn("run")(function* <E>(
  args: ReadonlyArray<string>,
  { version, out, err, bars, stateDirectory, mediaTools }: Surroundings<E>,
) {
  const isJson = args.includes("--json")
  const screen = isJson ? Layer.merge(jsonScreen(out), onlyWhatWasAsked) : textScreen(out, bars)
  const command = Command.runWith(reelog(mediaTools, stateDirectory), {
    version,
    renderErrors: false,
  })
  const exit = yield* Effect.exit(Effect.provide(command(args), screen))
  if (Exit.isSuccess(exit)) return 0
  const failure = problemIn(exit.cause)
  if (failure === undefined) return 0
  if (isJson) out(`${JSON.stringify(problemBody(failure))}\n`)
  else err(`reelog: ${sentence(failure)}\n`)
  return 1
})
