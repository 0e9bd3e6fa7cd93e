/**
 * Pipelines: what a channel's programmer writes, as YAML or JSON (`pipeline.schema.json`), by the
 * builder (`pipeline-builder.ts`) or as `task { … }` (`pipeline-notation.ts`). All give this tree;
 * `pipeline-check.ts` tells its mistakes, `stepsOf` makes the steps that are scheduled. Edges come
 * from the data; `next` adds an order without data.
 */
import { Result, Schema } from "effect"
import type { Step } from "#domain/scheduling/events.ts"
import { edgesOf } from "./pipeline-edges.ts"
import type { TaskType } from "./task-types.ts"

const matching = (pattern: RegExp) => Schema.String.check(Schema.isPattern(pattern))
const Name = matching(/^[a-z][a-z0-9-]{0,63}$/)
const Names = Schema.Array(Name)
const Kind = matching(/^[a-z][a-zA-Z-]*[*?]?$/)

export const TaskDefinition = Schema.Struct({
  name: Name,
  type: matching(/^[A-Z][A-Za-z0-9]*$/),
  /** `$context.chunks`: one task for each piece of that stream. */
  each: Schema.optionalKey(matching(/^\$(config|context)\.[A-Za-z][A-Za-z0-9.-]*$/)),
  /** One step for each rung group: `encode-video:r1`. Pieces name the groups they are for. */
  groups: Schema.optionalKey(Names.check(Schema.isNonEmpty())),
  /** `$config.x`, `$context.x`, `$each`, or a literal. */
  input: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  /** Context name → `it.field`. */
  output: Schema.optionalKey(Schema.Record(Schema.String, matching(/^it\.[A-Za-z][A-Za-z0-9]*$/))),
  next: Schema.optionalKey(Names),
  /** Its failure does not fail the video. */
  optional: Schema.optionalKey(Schema.Boolean),
  /** Begins when the video has been published, and its failure fails nothing. */
  later: Schema.optionalKey(Schema.Boolean),
})
export type TaskDefinition = typeof TaskDefinition.Type

export const Pipeline = Schema.Struct({
  pipeline: Name,
  /** Name → kind of what the transcode is started with. */
  config: Schema.optionalKey(Schema.Record(Schema.String, Kind)),
  start: Schema.optionalKey(Names),
  /** When these have done their first pieces, the video can be watched. */
  playable: Schema.optionalKey(Names),
  tasks: Schema.Array(TaskDefinition).check(Schema.isNonEmpty(), Schema.isMaxLength(64)),
})
export type Pipeline = typeof Pipeline.Type

const decode = Schema.decodeUnknownResult(Pipeline, {
  errors: "all",
  onExcessProperty: "error",
})

/** A tree read from YAML or JSON as a pipeline, or what is wrong with its shape. */
export const readPipeline = (tree: unknown): Result.Result<Pipeline, ReadonlyArray<string>> =>
  Result.mapError(decode(tree), ({ message }) =>
    message
      .replaceAll(/\n\s+at /g, " at ")
      .split("\n")
      .map((sentence) => `pipeline: ${sentence}`),
  )

/** The steps of one task, one for each of its groups. */
const namesOf = ({ name, groups }: TaskDefinition): ReadonlyArray<string> =>
  groups === undefined ? [name] : groups.map((group) => `${name}:${group}`)

const firstOnes = (playable: ReadonlyArray<string>, before: ReadonlyMap<string, Set<string>>) => {
  const first = new Set<string>()
  const mark = (name: string) => {
    if (first.has(name)) return
    first.add(name)
    for (const other of before.get(name) ?? []) mark(other)
  }
  playable.forEach(mark)
  return first
}

/** The steps of a checked pipeline, in its own order. */
export const stepsOf = (
  pipeline: Pipeline,
  types: ReadonlyArray<TaskType>,
): ReadonlyArray<Step> => {
  const { before, writers } = edgesOf(pipeline)
  const first = firstOnes(pipeline.playable ?? [], before)
  const stepNames = (name: string) =>
    pipeline.tasks.filter((task) => task.name === name).flatMap(namesOf)
  return pipeline.tasks.flatMap((task) =>
    namesOf(task).map((name, index): Step => {
      const each = task.each === undefined ? undefined : writers.get(task.each)
      const group = task.groups?.[index]
      return {
        name,
        type: task.type,
        after: [...(before.get(task.name) ?? [])].flatMap(stepNames),
        ...(each !== undefined && { each }),
        ...(group !== undefined && { group }),
        seconds: types.find(({ type }) => type === task.type)?.seconds ?? 1,
        // The first group is the one that is watched first.
        ...(first.has(task.name) && index === 0 && { first: true }),
        ...(task.optional && { optional: true }),
        ...(task.later && { later: true }),
        ...(task.input && { input: task.input }),
        ...(task.output && { output: task.output }),
      }
    }),
  )
}
