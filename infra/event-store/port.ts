/**
 * The event store as the platform needs it: append with an expected revision, read one stream or
 * the log, follow it, and share work between consumers of a group. `eventstoredb.ts` is the real
 * one, `memory.ts` runs in the process for tests, `contract.ts` holds them alike, `node/` is the
 * embedded server.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { DomainEvent, Metadata, Unreadable } from "#domain/events.ts"
import type { StreamName } from "#domain/ids.ts"

/** What is appended. The id makes a repeated append the same append. */
export interface NewEvent {
  readonly id: string
  readonly event: DomainEvent
  readonly metadata: Metadata
}

export interface Recorded {
  readonly stream: string
  /** The store's own number in the stream; the first event is 0. */
  readonly revision: number
  /** Commit position, a decimal string: opaque but for its order (`isAfter` in `#domain/ids.ts`). */
  readonly position: string
  readonly id: string
  readonly event: DomainEvent | Unreadable
  readonly metadata: Metadata
  /** When the store wrote it, milliseconds since 1970. For people, never for decisions. */
  readonly recordedAt: number
  /** What was written, before it was upcast or found unreadable: the hash chain covers this. */
  readonly stored?: { readonly type: string; readonly data: unknown }
}

/** The revision of the last event a decision was made on; `none`: the stream must not exist yet. */
export type Expected = number | "none" | "any"

export interface Appended {
  readonly revision: number
  readonly position: string
}

/** By prefixes of stream names or of event types; the server filters. At most one of the two. */
export interface Filter {
  readonly streams?: ReadonlyArray<string>
  readonly types?: ReadonlyArray<string>
}

/** A follower's news: an event, or that the log was read up to here without one (`position`). */
export type News =
  | { readonly _tag: "Event"; readonly recorded: Recorded }
  | { readonly _tag: "Checkpoint"; readonly position: string }
  /** All that was in the log when the subscription began has been delivered. */
  | { readonly _tag: "CaughtUp" }

export interface ReadOptions {
  /** First revision wanted (inclusive). Default: the first, or the last when backwards. */
  readonly from?: number
  readonly backwards?: boolean
  readonly maxCount?: number
}

/** One delivery to one consumer of a group. Exactly one of its answers must be run. */
export interface Delivery {
  readonly recorded: Recorded
  readonly retryCount: number
  readonly ack: Effect.Effect<void, EventStoreUnavailable>
  readonly retry: (reason: string) => Effect.Effect<void, EventStoreUnavailable>
  readonly park: (reason: string) => Effect.Effect<void, EventStoreUnavailable>
}

export interface Group {
  readonly name: string
  readonly filter: Filter
  readonly maxRetryCount: number
  readonly messageTimeoutMillis: number
}

/** What a group is doing, for the operator's page. */
export interface GroupState {
  readonly name: string
  readonly backlog: number
  readonly inFlight: number
  readonly parked: number
  readonly connections: number
}

/** A delivery that a group has given up until it is replayed. */
export interface ParkedDelivery {
  readonly recorded: Recorded
  /** How often it was delivered; 0 where the server does not keep it. */
  readonly tries: number
  readonly reason: string
}

export interface StreamLimits {
  readonly maxAgeSeconds?: number
  readonly maxCount?: number
}

export class RevisionConflict extends Schema.TaggedError<RevisionConflict>()("RevisionConflict", {
  stream: Schema.String,
  expected: Schema.Union([Schema.Int, Schema.Literals(["none", "any"])]),
  /** The revision found, or -1 when the stream does not exist. */
  actual: Schema.Int,
}) {}

export class EventStoreUnavailable extends Schema.TaggedError<EventStoreUnavailable>()(
  "EventStoreUnavailable",
  { cause: Schema.Defect() },
) {}

export class EventStore extends Context.Service<
  EventStore,
  {
    /** All or none, contiguous, acknowledged after commit. Retried inside with the same ids while the answer is lost, within 5 s. */
    readonly append: (
      stream: StreamName,
      expected: Expected,
      events: ReadonlyArray<NewEvent>,
    ) => Effect.Effect<Appended, RevisionConflict | EventStoreUnavailable>
    /** The events of one stream in order; a stream that does not exist is empty. */
    readonly read: (
      stream: string,
      options?: ReadOptions,
    ) => Effect.Effect<ReadonlyArray<Recorded>, EventStoreUnavailable>
    /** The log as it is now, after a position (exclusive), in order; ends at its end. */
    readonly readAll: (options?: {
      readonly after?: string
      readonly filter?: Filter
    }) => Stream.Stream<Recorded, EventStoreUnavailable>
    /** The log after a position (exclusive; undefined: from the beginning; "end": from now), for ever. Resubscribes from its last position when the store goes away; never fails. */
    readonly follow: (options: {
      readonly after?: string | "end"
      readonly filter?: Filter
    }) => Stream.Stream<News>
    /** One stream from a revision (inclusive), for ever; resubscribes like `follow`. */
    readonly followStream: (stream: string, from?: number) => Stream.Stream<Recorded>
    /** Joins a group of competing consumers over `$all`, creating or updating it. At most `buffer` in flight. Rejoins by itself. */
    readonly consume: (group: Group, buffer: number) => Stream.Stream<Delivery>
    readonly groupState: (
      name: string,
    ) => Effect.Effect<GroupState | undefined, EventStoreUnavailable>
    /** What is parked now, the newest first. */
    readonly parkedOf: (
      name: string,
      most: number,
    ) => Effect.Effect<ReadonlyArray<ParkedDelivery>, EventStoreUnavailable>
    /** Parked deliveries go back to the group. */
    readonly replayParked: (name: string) => Effect.Effect<void, EventStoreUnavailable>
    readonly limit: (
      stream: string,
      limits: StreamLimits,
    ) => Effect.Effect<void, EventStoreUnavailable>
    /** The position of the last event in the log, "0" when it is empty. */
    readonly end: Effect.Effect<string, EventStoreUnavailable>
  }
>()("infra/event-store/EventStore") {}
