/** The built-in pipeline, read and checked once at start: a scheduler with an unsound one does not begin. */
import { Effect, Result, Schema } from "effect"
import { parse } from "yaml"
import type { Plan } from "#domain/policy.ts"
import { readPipeline, stepsOf } from "#domain/transcode/pipeline.ts"
import { checkPipeline } from "#domain/transcode/pipeline-check.ts"
import { builtInTypes, type TaskType } from "#domain/transcode/task-types.ts"

const builtIn = new URL("../../domain/transcode/default.yaml", import.meta.url)

class PipelineUnsound extends Schema.TaggedError<PipelineUnsound>()("PipelineUnsound", {
  sentences: Schema.Array(Schema.String),
}) {}

const planOf = Effect.fnUntraced(function* (yaml: string, types: ReadonlyArray<TaskType>) {
  const tree = yield* Effect.try({
    try: () => parse(yaml),
    catch: (cause) => new PipelineUnsound({ sentences: [String(cause)] }),
  })
  const pipeline = yield* Result.match(readPipeline(tree), {
    onSuccess: (read) => Effect.succeed(read),
    onFailure: (sentences) => Effect.fail(new PipelineUnsound({ sentences })),
  })
  const sentences = checkPipeline(pipeline, types)
  if (sentences.length > 0) return yield* new PipelineUnsound({ sentences })
  return { pipeline: pipeline.pipeline, steps: stepsOf(pipeline, types) } satisfies Plan
})

export const defaultPlan = Effect.gen(function* () {
  const yaml = yield* Effect.tryPromise({
    try: () => Bun.file(builtIn).text(),
    catch: (cause) => new PipelineUnsound({ sentences: [String(cause)] }),
  })
  return yield* planOf(yaml, builtInTypes)
})
