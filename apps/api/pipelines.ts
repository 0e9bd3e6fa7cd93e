/**
 * A channel's own pipeline: chosen as text (YAML, JSON or `task { … }`), shown as it was written,
 * given up for the built-in one. Only videos that are created afterwards are made by it. What is
 * wrong is told all at once, and changes nothing.
 */
import { Effect, Result, Schema } from "effect"
import { parse } from "yaml"
import { ChannelNotFound, channel } from "#domain/channel/channel.ts"
import { channelStream } from "#domain/ids.ts"
import { planOf, treeOf } from "#domain/transcode/channel-pipeline.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import type { Asker } from "./asker.ts"
import type { Answer } from "./respond.ts"

const MOST_BYTES = 32 * 1024
/** More of them say no more. */
const MOST_MISTAKES = 100

const builtInText = Effect.promise(() =>
  Bun.file(new URL("../../domain/transcode/default.yaml", import.meta.url)).text(),
)

export class PipelineTooLong extends Schema.TaggedError<PipelineTooLong>()("PipelineTooLong", {
  limit: Schema.Int,
}) {}
export class PipelineMistaken extends Schema.TaggedError<PipelineMistaken>()("PipelineMistaken", {
  mistakes: Schema.Array(Schema.String),
}) {}

/** For `Asker`s there is their own channel. Null: a path whose escapes are broken. */
export const ownChannel = (text: string | null, { channelId }: Pick<Asker, "channelId">) =>
  text === channelId
    ? Effect.succeed(channelId)
    : Effect.fail(new ChannelNotFound({ channelId: (text ?? "").slice(0, 40) }))

const read = (text: string) =>
  Result.gen(function* () {
    const tree = yield* treeOf(text, (yaml) => parse(yaml, { logLevel: "error" }))
    const plan = yield* planOf(tree, builtInTypes)
    // Aliases written out, so that it is plain JSON.
    return { plan, tree: JSON.parse(JSON.stringify(tree)) as Schema.Json }
  })

const shown = (channelId: string, text: string, isOwn: boolean) => {
  const found = Result.map(read(text), ({ plan }) => plan)
  const steps = Result.getOrElse(found, () => ({ steps: [] })).steps
  return {
    channelId,
    pipeline: Result.getOrElse(found, () => ({ pipeline: null })).pipeline,
    isOwn,
    steps: steps.map(({ name, type, after }) => ({ name, type, after })),
    /** Task types may have changed since it was chosen: the built-in one stands in for it then. */
    mistakes: Result.match(found, { onSuccess: () => [], onFailure: (mistakes) => mistakes }),
    text,
  }
}

const choose = Effect.fn("choosePipeline")(function* (
  id: string | null,
  pipeline: { readonly text: string; readonly tree: Schema.Json } | null,
  asker: Asker,
) {
  const { accountId: actor, at, cause, expected } = asker
  const channelId = yield* ownChannel(id, asker)
  const context = { cause, correlationId: channelId, actor }
  const chosen = yield* execute(
    channel,
    { _tag: "ChoosePipeline", channelId, actor, pipeline, at },
    expected === undefined ? context : { ...context, expected },
  )
  const text = pipeline?.text ?? (yield* builtInText)
  return { ...chosen, body: shown(channelId, text, pipeline !== null) } satisfies Answer
})

export const choosePipeline = Effect.fn("choosePipelineText")(function* (
  id: string | null,
  text: string,
  asker: Asker,
) {
  yield* ownChannel(id, asker)
  if (Buffer.byteLength(text) > MOST_BYTES) return yield* new PipelineTooLong({ limit: MOST_BYTES })
  const found = read(text)
  if (Result.isFailure(found))
    return yield* new PipelineMistaken({ mistakes: found.failure.slice(0, MOST_MISTAKES) })
  return yield* choose(id, { text, tree: found.success.tree }, asker)
})

export const resetPipeline = (id: string | null, asker: Asker) => choose(id, null, asker)

export const showPipeline = Effect.fn("showPipeline")(function* (
  id: string | null,
  asker: Pick<Asker, "channelId">,
) {
  const store = yield* EventStore
  const channelId = yield* ownChannel(id, asker)
  const history = yield* store.read(channelStream(channelId))
  const { pipeline } = history.reduce(
    (known, { event }) => (event._tag === "PipelineChosen" ? event : known),
    { pipeline: null as { readonly text: string } | null },
  )
  const text = pipeline?.text ?? (yield* builtInText)
  const revision = history.at(-1)?.revision ?? -1
  return { revision, body: shown(channelId, text, pipeline !== null) } satisfies Answer
})
