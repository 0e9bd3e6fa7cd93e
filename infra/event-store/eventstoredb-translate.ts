/** Between the client library's values and ours: failures, recorded events, and its Node streams. */
import { NodeStream } from "@effect/platform-node"
import {
  AccessDeniedError,
  InvalidArgumentError,
  isCommandError,
  MaxAppendSizeExceededError,
  type ResolvedEvent,
  StreamDeletedError,
} from "@eventstore/db-client"
import { Effect, Stream } from "effect"
import { EventStoreUnavailable, type Recorded } from "./port.ts"
import { ATTEMPT, PATIENCE, withinPatience } from "./resubscribing.ts"
import { recordedOf } from "./stored.ts"

export const unavailable = (cause: unknown) => new EventStoreUnavailable({ cause })

/** Asking again can't help. */
const isFinal = (cause: unknown) =>
  cause instanceof AccessDeniedError ||
  cause instanceof InvalidArgumentError ||
  cause instanceof MaxAppendSizeExceededError ||
  cause instanceof StreamDeletedError

const mayPass = (failure: { readonly _tag: string; readonly cause?: unknown }) =>
  failure._tag === "EventStoreUnavailable" && !isFinal(failure.cause)

/** Asked again while the store is away, and given up after five seconds. */
export const patiently = <A, E extends { readonly _tag: string }>(
  attempt: Effect.Effect<A, E | EventStoreUnavailable>,
) =>
  attempt.pipe(
    Effect.timeoutOrElse({
      duration: ATTEMPT,
      orElse: () => Effect.fail(unavailable(`no answer within ${ATTEMPT}`)),
    }),
    Effect.retry({ while: mayPass, schedule: withinPatience }),
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => Effect.fail(unavailable(`no answer within ${PATIENCE}`)),
    }),
  )

export const asking = <A>(ask: () => Promise<A>) =>
  Effect.tryPromise({ try: ask, catch: unavailable })

export const isMissing = (failure: EventStoreUnavailable, type: string) =>
  failure.cause instanceof Error && isCommandError(failure.cause) && failure.cause.type === type

export const recordedFrom = (resolved: Pick<ResolvedEvent, "event" | "commitPosition">) => {
  const { event, commitPosition } = resolved
  if (event === undefined) return undefined
  const position = event.position?.commit ?? commitPosition ?? 0n
  return recordedOf({
    stream: event.streamId,
    revision: Number(event.revision),
    position: String(position),
    id: event.id,
    type: event.type,
    data: event.data,
    metadata: event.metadata,
    recordedAt: event.created.getTime(),
  })
}

/** All of the client's streams are Node's, only typed as narrower ones. */
interface Readable {
  on: (event: "error", listener: (cause: Error) => void) => unknown
}

/** One of the client's streams; closed when it is no longer read. A stream left alone would go on on the server. */
export const fromReadable = <R extends Readable, A>(
  open: () => R,
  close: (readable: R) => Promise<void>,
): Stream.Stream<A, EventStoreUnavailable> =>
  Stream.unwrap(
    Effect.acquireRelease(
      Effect.sync(() => {
        const readable = open()
        readable.on("error", () => undefined)
        return readable
      }),
      (readable) => Effect.ignore(Effect.tryPromise(() => close(readable))),
    ).pipe(
      Effect.map((readable) =>
        NodeStream.fromReadable<A, EventStoreUnavailable>({
          evaluate: () => readable as unknown as NodeJS.ReadableStream,
          onError: unavailable,
        }),
      ),
    ),
  )

export const isRecorded = (recorded: Recorded | undefined): recorded is Recorded =>
  recorded !== undefined
