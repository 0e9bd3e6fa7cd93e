/** A channel's own pipeline: sent as it is written, shown as it was, given up for the built-in one. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { Effect, Result } from "effect"
import { type AnyObject, Api } from "./api.ts"
import { problem } from "./problem.ts"
import { Screen, table } from "./screen.ts"

const taskOf = (step: string) => step.split(":")[0] ?? step

interface Step {
  readonly name: string
  readonly type: string
  readonly after: ReadonlyArray<string>
}

/** A line for each task: the groups of one task are one to a reader. */
const tasksIn = (steps: ReadonlyArray<Step>) => {
  const tasks = new Map(steps.map((step) => [taskOf(step.name), step] as const))
  return [...tasks].map(([name, { type, after }]) => {
    const before = [...new Set(after.map(taskOf))].join(", ")
    return [`  ${name}`, type, before === "" ? "" : `after ${before}`]
  })
}

const textOf = ({ channelId, pipeline, isOwn, steps, mistakes }: AnyObject) => [
  `channel ${channelId}: ${isOwn === true ? "its own pipeline" : "the built-in pipeline"} ${pipeline ?? ""}`,
  ...table(tasksIn((steps ?? []) as unknown as ReadonlyArray<Step>)),
  ...(mistakes as ReadonlyArray<string>).map((mistake) => `MISTAKE  ${mistake}`),
]

const told = Effect.fnUntraced(function* (answer: AnyObject, ...more: ReadonlyArray<string>) {
  const screen = yield* Screen
  yield* screen.result(answer, ...textOf(answer), ...more)
})

export const showPipeline = Effect.fn("showPipeline")(function* (channelId: string) {
  const api = yield* Api
  const answer = yield* api.pipeline(channelId)
  yield* told(answer, "", String(answer.text).trimEnd())
})

export const setPipeline = Effect.fn("setPipeline")(function* (channelId: string, file: string) {
  const api = yield* Api
  const screen = yield* Screen
  const path = resolve(file)
  const text = Result.try(() => readFileSync(path, "utf8"))
  if (Result.isFailure(text)) {
    return yield* problem("file_not_found", `The file ${path} can't be read`)
  }
  const chosen = api.setPipeline(channelId, text.success)
  const answer = yield* Effect.tapError(chosen, ({ more }) =>
    Effect.forEach(Array.isArray(more?.mistakes) ? more.mistakes : [], (mistake) =>
      screen.say(String(mistake)),
    ),
  )
  yield* told(answer)
})

export const resetPipeline = Effect.fn("resetPipeline")(function* (channelId: string) {
  const api = yield* Api
  yield* told(yield* api.resetPipeline(channelId))
})
