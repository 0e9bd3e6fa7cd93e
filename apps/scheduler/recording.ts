/**
 * How a scheduler writes: to its own streams at the exact revision it knows and chained, to a
 * transcode's stream among others. Every event's id is made of its name, so that repeating it is
 * harmless.
 */
import { Effect } from "effect"
import { type StreamName, transcodeStream } from "#domain/ids.ts"
import { nameOf } from "#domain/scheduling/decide.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import { chained, hashOf, linkOf } from "#infra/event-store/chain.ts"
import { type Cause, envelope } from "#infra/event-store/execute.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { type Desk, keepTail } from "./desk.ts"

type Tagged<Tag> = Extract<SchedulingEvent, { readonly _tag: Tag }>
export type Milestone = Tagged<
  "TranscodePlayable" | "TranscodeCompleted" | "TranscodeExtended" | "TranscodeFailed"
>

export const ACTOR = "scheduler"

export const causeOf = (desk: Desk, event: SchedulingEvent, name = nameOf(event)): Cause => {
  const correlationId = "videoId" in event ? desk.correlations.get(event.videoId) : undefined
  return {
    cause: name,
    correlationId: correlationId ?? ("videoId" in event ? event.videoId : name),
    causationId: desk.lastEventId,
    actor: ACTOR,
  }
}

/** The next events of a stream that only the scheduler in office writes. */
export const append = Effect.fnUntraced(function* (
  desk: Desk,
  stream: StreamName,
  events: ReadonlyArray<{ readonly event: SchedulingEvent; readonly cause: Cause }>,
) {
  const store = yield* EventStore
  const tail = desk.tails.get(stream)
  const proposed = yield* Effect.forEach(events, ({ event, cause }) =>
    envelope(stream, event, cause),
  )
  const linked = chained(proposed, tail)
  const appended = yield* store.append(stream, tail?.revision ?? "none", linked)
  const last = linked.at(-1)
  if (last) keepTail(desk, { ...last, ...appended, stream, recordedAt: 0 })
})

/** Somebody else wrote there, or an answer was lost: how the stream ends now. */
export const learnTail = Effect.fnUntraced(function* (desk: Desk, stream: StreamName) {
  const store = yield* EventStore
  const [last] = yield* store.read(stream, { backwards: true, maxCount: 1 })
  if (last) keepTail(desk, last)
})

/** Anywhere in the stream: the order of the log decides. */
export const tell = Effect.fnUntraced(function* (
  desk: Desk,
  event: Tagged<"TranscodeCancelled"> | Milestone,
) {
  const store = yield* EventStore
  const stream = transcodeStream(event.videoId)
  const told = yield* envelope(stream, event, causeOf(desk, event))
  yield* store.append(stream, "any", [told])
})

/** Covers the first `count` events of the stream, as `{count}:{SHA-256}`: each hashed with the one before. */
export const sealOf = (history: ReadonlyArray<Recorded>): string => {
  const seal = history.reduce<string | undefined>(
    (prev, recorded) => hashOf({ ...linkOf(recorded), prev }),
    undefined,
  )
  return `${history.length}:${seal ?? ""}`
}

export const tellSealed = Effect.fnUntraced(function* (desk: Desk, event: Milestone) {
  const store = yield* EventStore
  const history = yield* store.read(transcodeStream(event.videoId))
  yield* tell(desk, { ...event, digest: sealOf(history) })
})

/** At the exact revision, so that no run is planned twice, however late a rival is. */
export const plan = Effect.fnUntraced(function* (desk: Desk, event: Tagged<"TranscodePlanned">) {
  const store = yield* EventStore
  const stream = transcodeStream(event.videoId)
  const history = yield* store.read(stream)
  const isPlanned = history.some(
    ({ event: known }) => known._tag === event._tag && known.transcode === event.transcode,
  )
  if (isPlanned) return
  const planned = yield* envelope(stream, event, causeOf(desk, event))
  yield* store.append(stream, history.at(-1)?.revision ?? "none", [planned])
})
