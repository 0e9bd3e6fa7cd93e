/**
 * A channel's own pipeline: from the text of a programmer to a plan, or to all that is wrong with
 * it. Beyond what every pipeline has to be, it must begin with what a video has and end in one.
 */
import { Result, type Schema } from "effect"
import type { Step } from "#domain/scheduling/events.ts"
import { type Pipeline, readPipeline, stepsOf } from "./pipeline.ts"
import { checkPipeline, hint } from "./pipeline-check.ts"
import { isNotation, parseNotation } from "./pipeline-notation.ts"
import type { TaskType } from "./task-types.ts"

/** Of all steps, as they stand in the plan of each video: far below what an event may hold. */
const MOST_STEP_BYTES = 256 * 1024

/** Steps to be scheduled, under the name of their pipeline. */
export interface Plan {
  readonly pipeline: string
  readonly steps: ReadonlyArray<Step>
}

/** What the transcode of an upload is started with. */
export const startedWith = {
  source: "source",
  url: "url",
  transConfig: "json",
  /** Of the channel, where it has set one. */
  watermark: "watermark",
} as const

/** Where the source lies, under the name that a task asks for; the platform has no wishes of its own. */
export const startOf = (
  source: string,
): Readonly<Record<Exclude<keyof typeof startedWith, "watermark">, Schema.Json>> => ({
  source,
  url: source,
  transConfig: {},
})

type Mistakes = ReadonlyArray<string>

const startMistakes = ({ pipeline, config = {} }: Pipeline): Mistakes =>
  Object.entries(config).flatMap(([name, kind]) => {
    const given = Object.entries(startedWith).find(([known]) => known === name)?.[1]
    const begins = `pipeline "${pipeline}": it asks for $config.${name}`
    if (given === undefined) {
      return [`${begins}, which no video has${hint(name, Object.keys(startedWith), "$config.")}`]
    }
    return kind === "any" || kind === given ? [] : [`${begins} as ${kind}, but it is ${given}`]
  })

const endMistakes = ({ pipeline, tasks }: Pipeline, types: ReadonlyArray<TaskType>): Mistakes => {
  const makers = types.filter(({ output }) => Object.values(output).includes("manifest"))
  const isMade = tasks.some(
    ({ type, optional, later }) =>
      optional !== true && later !== true && makers.some((maker) => maker.type === type),
  )
  const names = makers.map(({ type }) => type).join(" or ")
  return isMade ? [] : [`pipeline "${pipeline}": no task makes a video; that is what ${names} does`]
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length

const plannedFrom = (pipeline: Pipeline, types: ReadonlyArray<TaskType>) => {
  const name = pipeline.pipeline
  const steps = stepsOf(pipeline, types)
  const byteLength = Math.max(bytesOf(pipeline), bytesOf(steps))
  return byteLength > MOST_STEP_BYTES
    ? Result.fail<Mistakes>([
        `pipeline "${name}": its steps take ${byteLength} bytes; at most ${MOST_STEP_BYTES}`,
      ])
    : Result.succeed<Plan>({ pipeline: name, steps })
}

/** A tree that was read before, with the task types of today. */
export const planOf = (
  tree: unknown,
  types: ReadonlyArray<TaskType>,
): Result.Result<Plan, Mistakes> =>
  Result.flatMap(readPipeline(tree), (pipeline) => {
    const mistakes = [
      ...checkPipeline(pipeline, types),
      ...startMistakes(pipeline),
      ...endMistakes(pipeline, types),
    ]
    return mistakes.length > 0 ? Result.fail(mistakes) : plannedFrom(pipeline, types)
  })

const firstLine = (message: string) => message.split("\n")[0]?.replace(/:$/, "") ?? ""

/** Text in the notation as a tree; other text by `parse`, which knows YAML and so JSON. */
export const treeOf = (
  text: string,
  parse: (text: string) => unknown,
): Result.Result<Schema.Json, Mistakes> => {
  // Decoded and encoded alike: what was read of it is the tree.
  if (isNotation(text)) return parseNotation(text) as Result.Result<Schema.Json, Mistakes>
  return Result.try({
    // Whatever else a parser of YAML may give is no pipeline, and told as that.
    try: () => parse(text) as Schema.Json,
    catch: (cause) => [`pipeline: ${cause instanceof Error ? firstLine(cause.message) : "?"}`],
  })
}

/** The same steps, each that takes a watermark given the channel's. */
export const withWatermark = ({ pipeline, steps }: Plan, types: ReadonlyArray<TaskType>): Plan => ({
  pipeline,
  steps: steps.map((step) => {
    const takes = types.some(({ type, input }) => type === step.type && "watermark" in input)
    return takes ? { ...step, input: { watermark: "$config.watermark", ...step.input } } : step
  }),
})
