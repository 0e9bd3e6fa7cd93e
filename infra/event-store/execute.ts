/**
 * Carries out one command: read, decide, append; decide again when someone else was faster. Event ids follow from
 * the cause, so a command whose answer was lost records nothing twice.
 */
import { Context, Duration, Effect, Predicate, Random, Result, Schedule, Schema } from "effect"
import type { Decider } from "#domain/decider.ts"
import type { DomainEvent, Metadata } from "#domain/events.ts"
import { chained } from "./chain.ts"
import {
  type Appended,
  EventStore,
  type NewEvent,
  type Recorded,
  RevisionConflict,
} from "./port.ts"

/** Why something is recorded, and for whom. */
export interface Cause {
  /** Unique to what is being done: an `Idempotency-Key`, a request id, or the id of the event reacted to. */
  readonly cause: string
  /** Of the upload or request that began it all. Default: the cause. */
  readonly correlationId?: string
  /** Id of the event that led to this. Default: the cause. */
  readonly causationId?: string
  readonly actor: string
}

export interface CommandContext extends Cause {
  /** The revision the client saw (`If-Match`): another one is a conflict at once. */
  readonly expected?: number
}

/** The stream holds an event that this program can't read, so nothing may be decided on it. */
export class StreamUnreadable extends Schema.TaggedError<StreamUnreadable>()("StreamUnreadable", {
  stream: Schema.String,
  revision: Schema.Int,
  type: Schema.String,
}) {}

/** Written into every event's metadata. */
export const Region = Context.Reference<string>("infra/event-store/Region", {
  defaultValue: () => process.env.REELOG_REGION ?? "local",
})

/** RFC 9562, appendix A: of names that are URLs. Any fixed one would do. */
const NAMESPACE = "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
const SCHEMA_VERSION = 1

/** The id of the event a cause leads to in a stream; the store knows a repetition by it. */
export const eventId = (stream: string, cause: string, index = 0): string =>
  Bun.randomUUIDv5(`${stream} ${cause} ${index}`, NAMESPACE)

const metadataOf = (cause: Cause, region: string): Metadata => ({
  $correlationId: cause.correlationId ?? cause.cause,
  $causationId: cause.causationId ?? cause.cause,
  actor: cause.actor,
  region,
  version: SCHEMA_VERSION,
})

/** One event for a stream that takes any revision, ready to append. */
export const envelope = Effect.fnUntraced(function* (
  stream: string,
  event: DomainEvent,
  cause: Cause,
  index = 0,
): Effect.fn.Return<NewEvent> {
  const region = yield* Region
  return { id: eventId(stream, cause.cause, index), event, metadata: metadataOf(cause, region) }
})

/** Anywhere between at once and the whole pause: rivals that wait alike would meet again on every try. */
const aMomentLater = Schedule.min([
  Schedule.exponential("5 millis"),
  Schedule.spaced("150 millis"),
]).pipe(
  Schedule.modifyDelay(({ duration }) =>
    Effect.map(Random.next, (part) => Duration.times(duration, part)),
  ),
  Schedule.upTo({ times: 40 }),
)

const unreadable = (history: ReadonlyArray<Recorded>) => {
  for (const { stream, revision, event } of history)
    if (event._tag === "Unreadable")
      return new StreamUnreadable({ stream, revision, type: event.type })
  return undefined
}

/** The command was carried out before, right on the revision its client saw. */
const earlierAnswer = (
  history: ReadonlyArray<Recorded>,
  { expected = -1, cause }: CommandContext,
): Appended | undefined => {
  const from = history.findIndex(({ revision }) => revision === expected + 1)
  if (from < 0) return undefined
  const own = history
    .slice(from)
    .filter(({ id, stream }, index) => id === eventId(stream, cause, index))
  return own.at(-1)
}

const attempt = Effect.fnUntraced(function* <State, Command, Event extends DomainEvent, Rejection>(
  decider: Decider<State, Command, Event, Rejection>,
  command: Command,
  context: CommandContext,
) {
  const store = yield* EventStore
  const stream = decider.stream(command)
  const history = yield* store.read(stream)
  const broken = unreadable(history)
  if (broken !== undefined) return yield* broken

  const last = history.at(-1)
  const { expected } = context
  if (expected !== undefined && expected !== (last?.revision ?? -1)) {
    const answer = earlierAnswer(history, context)
    if (answer !== undefined) return { revision: answer.revision, position: answer.position }
    return yield* new RevisionConflict({ stream, expected, actual: last?.revision ?? -1 })
  }

  // A stream holds the events of one decider: its name says of which.
  const state = history.reduce(
    (known, { event }) => decider.evolve(known, event as Event),
    decider.initial,
  )
  const events = yield* Result.match(decider.decide(state, command), {
    onSuccess: (decided) => Effect.succeed(decided),
    onFailure: (rejection) => Effect.fail(rejection),
  })
  if (events.length === 0)
    return last === undefined
      ? { revision: -1, position: yield* store.end }
      : { revision: last.revision, position: last.position }

  const ids = events.map((_, index) => eventId(stream, context.cause, index))
  // Carried out before, and undone since: the store looks for a repetition only where revisions differ.
  const before = history.findLast(({ id }) => ids.includes(id))
  if (before !== undefined) return { revision: before.revision, position: before.position }

  const metadata = metadataOf(context, yield* Region)
  const proposed = events.map((event, index) => ({
    id: eventId(stream, context.cause, index),
    event,
    metadata,
  }))
  return yield* store.append(stream, last?.revision ?? "none", chained(proposed, last))
})

/** Answers the stream's last revision and position, also when nothing new had to be recorded. */
export const execute = Effect.fn("execute")(
  <State, Command, Event extends DomainEvent, Rejection>(
    decider: Decider<State, Command, Event, Rejection>,
    command: Command,
    context: CommandContext,
  ) =>
    attempt(decider, command, context).pipe(
      Effect.retry({
        // Who names a revision does not want another one.
        while: (failure) =>
          context.expected === undefined && Predicate.isTagged(failure, "RevisionConflict"),
        schedule: aMomentLater,
      }),
    ),
)
