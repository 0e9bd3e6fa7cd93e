/**
 * A stream that only this process writes: every event at the next revision, chained to the one
 * before, one append at a time. Somebody else's event in it is a `RevisionConflict`: whoever
 * thought to own the stream no longer does.
 */
import { Effect, Semaphore } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import type { StreamName } from "#domain/ids.ts"
import { chained } from "#infra/event-store/chain.ts"
import { type Cause, envelope } from "#infra/event-store/execute.ts"
import {
  type Appended,
  EventStore,
  type EventStoreUnavailable,
  type Recorded,
  type RevisionConflict,
} from "#infra/event-store/port.ts"

interface OwnStream {
  /** After a failure the same event with the same cause may be said again: it is recorded once. */
  readonly append: (
    events: ReadonlyArray<DomainEvent>,
    cause: Cause,
  ) => Effect.Effect<Appended, RevisionConflict | EventStoreUnavailable>
  /** Of the last event, -1 before the first. */
  readonly revision: () => number
}

/** `last`: the event after which this process goes on; undefined when the stream does not exist yet. */
export const ownStream = Effect.fnUntraced(function* (stream: StreamName, last?: Recorded) {
  const store = yield* EventStore
  const alone = yield* Semaphore.make(1)
  let newest = last

  const append = Effect.fnUntraced(function* (events: ReadonlyArray<DomainEvent>, cause: Cause) {
    const proposed = yield* Effect.forEach(events, (event, index) =>
      envelope(stream, event, cause, index),
    )
    const linked = chained(proposed, newest)
    const appended = yield* store.append(stream, newest?.revision ?? "none", linked)
    const end = linked.at(-1)
    if (end !== undefined) newest = { ...end, ...appended, stream, recordedAt: 0 }
    return appended
  })

  return {
    append: (events, cause) => alone.withPermit(append(events, cause)),
    revision: () => newest?.revision ?? -1,
  } satisfies OwnStream
})
