/**
 * The event store over EventStoreDB's own client: the same code for the embedded node and for a cluster
 * (23.10 or later, whose subscriptions tell when they have caught up). One per process: the client keeps its
 * pending appends in a module variable.
 */
import {
  type AllStreamResolvedEvent,
  ANY,
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  type ResolvedEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from "@eventstore/db-client"
import { Config, Effect, Layer, Redacted, Stream } from "effect"
import { writeEvent } from "#domain/events.ts"
import { followers } from "./eventstoredb-followers.ts"
import { groups } from "./eventstoredb-groups.ts"
import {
  asking,
  fromReadable,
  isRecorded,
  patiently,
  recordedFrom,
  unavailable,
} from "./eventstoredb-translate.ts"
import { EventStore, type Expected, type NewEvent, RevisionConflict } from "./port.ts"
import { ATTEMPT } from "./resubscribing.ts"

const url = Config.Redacted("REELOG_EVENTSTORE_URL")

const expectedRevision = (expected: Expected) => {
  if (expected === "none") return NO_STREAM
  return expected === "any" ? ANY : BigInt(expected)
}

const toEvent = ({ id, event, metadata }: NewEvent) => {
  const { type, data } = writeEvent(event)
  return jsonEvent({ id, type, data, metadata: { ...metadata } })
}

export const eventStoreDb = Layer.effect(
  EventStore,
  Effect.gen(function* () {
    const connection = Redacted.value(yield* url)
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => EventStoreDBClient.connectionString(connection)),
      (open) =>
        Effect.ignore(
          Effect.timeout(
            asking(() => open.dispose()),
            ATTEMPT,
          ),
        ),
    )

    const append: EventStore["Service"]["append"] = Effect.fn("EventStore.append")(
      function* (stream, expected, events) {
        const written = yield* Effect.tryPromise({
          try: () =>
            client.appendToStream(stream, events.map(toEvent), {
              expectedRevision: expectedRevision(expected),
            }),
          catch: (cause) =>
            cause instanceof WrongExpectedVersionError
              ? new RevisionConflict({
                  stream,
                  expected,
                  actual:
                    typeof cause.actualVersion === "bigint" ? Number(cause.actualVersion) : -1,
                })
              : unavailable(cause),
        })
        return {
          revision: Number(written.nextExpectedRevision),
          position: String(written.position?.commit ?? 0n),
        }
      },
      // The answer of an attempt may be lost: the next one carries the same ids.
      patiently,
    )

    const read: EventStore["Service"]["read"] = Effect.fn("EventStore.read")(
      (stream, { from, backwards = false, maxCount } = {}) =>
        fromReadable<ReturnType<typeof client.readStream>, ResolvedEvent>(
          () =>
            client.readStream(stream, {
              direction: backwards ? BACKWARDS : FORWARDS,
              fromRevision: from === undefined ? (backwards ? END : START) : BigInt(from),
              ...(maxCount !== undefined && { maxCount }),
            }),
          (reading) => reading.cancel(),
        ).pipe(
          Stream.map(recordedFrom),
          Stream.filter(isRecorded),
          Stream.runCollect,
          Effect.catchIf(
            ({ cause }) =>
              cause instanceof StreamNotFoundError || cause instanceof StreamDeletedError,
            () => Effect.succeed([]),
          ),
          patiently,
        ),
    )

    const end: EventStore["Service"]["end"] = fromReadable<
      ReturnType<typeof client.readAll>,
      AllStreamResolvedEvent
    >(
      () => client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }),
      (reading) => reading.cancel(),
    ).pipe(
      Stream.runCollect,
      Effect.map(([last]) => String(last?.commitPosition ?? last?.event?.position.commit ?? 0n)),
      patiently,
      Effect.withSpan("EventStore.end"),
    )

    const limit: EventStore["Service"]["limit"] = Effect.fn("EventStore.limit")(
      (stream, { maxAgeSeconds, maxCount }) =>
        asking(() =>
          client.setStreamMetadata(stream, {
            ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
            ...(maxCount !== undefined && { maxCount }),
          }),
        ).pipe(Effect.asVoid, patiently),
    )

    return EventStore.of({
      append,
      read,
      end,
      limit,
      ...followers(client, end),
      ...groups(client),
    })
  }),
)
