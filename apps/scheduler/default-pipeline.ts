/** The built-in pipeline, read and checked once at start: a scheduler with an unsound one does not begin. */
import { Effect, Schema } from "effect"
import { parse } from "yaml"
import { planOf } from "#domain/transcode/channel-pipeline.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"

const builtIn = new URL("../../domain/transcode/default.yaml", import.meta.url)

class PipelineUnsound extends Schema.TaggedError<PipelineUnsound>()("PipelineUnsound", {
  sentences: Schema.Array(Schema.String),
}) {}

export const defaultPlan = Effect.gen(function* () {
  const tree = yield* Effect.tryPromise({
    try: async () => parse(await Bun.file(builtIn).text()),
    catch: (cause) => new PipelineUnsound({ sentences: [String(cause)] }),
  })
  return yield* Effect.fromResult(planOf(tree, builtInTypes)).pipe(
    Effect.mapError((sentences) => new PipelineUnsound({ sentences })),
  )
})
