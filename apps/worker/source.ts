/**
 * The source of a video as one row of bytes, though it is a list of parts that may still be
 * arriving: a read waits for the parts it needs, as long as the upload lives and makes progress.
 * What was read stays in a sparse local copy for the next task of the same video.
 */
import {
  Context,
  Duration,
  Effect,
  Layer,
  Option,
  RcMap,
  Schema,
  type Scope,
  Semaphore,
  Stream,
  SubscriptionRef,
} from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import { uploadStream } from "#domain/ids.ts"
import { sourcePart } from "#domain/keys.ts"
import { type Part, UploadEvent } from "#domain/upload/events.ts"
import { type Upload, upload } from "#domain/upload/upload.ts"
import { EventStore, type EventStoreUnavailable } from "#infra/event-store/port.ts"
import type { ByteRange, ScratchUnavailable, Source } from "#infra/media/port.ts"
import {
  type ObjectNotFound,
  ObjectStore,
  type ObjectStoreUnavailable,
} from "#infra/object-store/port.ts"
import { Scratch } from "./scratch.ts"

/** The upload was given up before these bytes came. */
export class SourceAbandoned extends Schema.TaggedError<SourceAbandoned>()("SourceAbandoned", {
  videoId: Schema.String,
}) {}

/** Nothing has come for so long that the slot is given back. `heard`: revision of the upload's last event. */
export class SourceStalled extends Schema.TaggedError<SourceStalled>()("SourceStalled", {
  videoId: Schema.String,
  heard: Schema.Int,
}) {}

export type SourceFailure =
  | SourceAbandoned
  | SourceStalled
  | ObjectNotFound
  | ObjectStoreUnavailable
  | EventStoreUnavailable
  | ScratchUnavailable

export interface ArrivingSource extends Source<SourceFailure> {
  /** Ends when the bytes are there, without reading them. `null`: all of them. */
  readonly arrival: (
    ranges: ReadonlyArray<ByteRange> | null,
  ) => Effect.Effect<void, SourceAbandoned | SourceStalled>
  /** SHA-256 of the bytes of these ranges, hex. `null`: of all bytes. */
  readonly digest: (ranges: ReadonlyArray<ByteRange> | null) => Effect.Effect<string, SourceFailure>
  /** Whether they are there now. */
  readonly hasArrived: (ranges: ReadonlyArray<ByteRange> | null) => boolean
}

export class Sources extends Context.Service<
  Sources,
  { readonly of: (videoId: string) => Effect.Effect<ArrivingSource, SourceFailure, Scope.Scope> }
>()("apps/worker/Sources") {}

/** Hashed at once. */
const STRETCH = 4 * 2 ** 20
/** Box headers are read a few bytes at a time; the store is asked for this much at least. */
const LEAST_FETCH = 64 * 1024
const FETCHES_AT_ONCE = 4
/** Between two tasks of a video: how long its upload is remembered. */
const IDLE = Duration.seconds(30)

const isUploadEvent = (event: DomainEvent | Unreadable): event is UploadEvent =>
  event._tag in UploadEvent.cases

const evolved = (known: Upload, event: DomainEvent | Unreadable): Upload =>
  isUploadEvent(event) ? upload.evolve(known, event) : known

/** An upload, and the revision of its event heard last. */
interface Heard {
  readonly upload: Upload
  readonly revision: number
}

const partsIn = (parts: ReadonlyArray<Part>, { from, to }: ByteRange): ReadonlyArray<Part> =>
  parts.filter(({ offset, length }) => offset < to && offset + length > from)

const openSource = Effect.fn("openSource")(function* (videoId: string, patience: Duration.Input) {
  const store = yield* EventStore
  const objects = yield* ObjectStore
  const scratch = yield* Scratch

  const stream = uploadStream(videoId)
  const history = yield* store.read(stream)
  const begun = history.reduce((known, { event }) => evolved(known, event), upload.initial)
  if (begun._tag === "Absent") return yield* new SourceAbandoned({ videoId })
  const state = yield* SubscriptionRef.make<Heard>({ upload: begun, revision: history.length - 1 })
  const current = () => SubscriptionRef.getUnsafe(state).upload
  if (begun._tag === "Receiving") {
    yield* store.followStream(stream, history.length).pipe(
      Stream.runForEach(({ event, revision }) =>
        SubscriptionRef.update(state, (it) => ({ upload: evolved(it.upload, event), revision })),
      ),
      Effect.forkScoped,
    )
  }

  const { byteLength } = begun
  const parts = [...begun.parts.values()].sort((a, b) => a.offset - b.offset)
  const everything: ByteRange = { from: 0, to: byteLength }
  const copy = yield* scratch.file(videoId)
  const fetching = yield* Semaphore.make(1)

  const isThere = (known: Upload, range: ByteRange) =>
    known._tag !== "Absent" &&
    (known._tag === "Completed" ||
      partsIn(parts, range).every(({ number }) => known.received.has(number)))
  const areThere = (known: Upload, ranges: ReadonlyArray<ByteRange> | null) =>
    (ranges ?? [everything]).every((range) => isThere(known, range))

  const arrival = Effect.fnUntraced(function* (ranges: ReadonlyArray<ByteRange> | null) {
    if (areThere(current(), ranges)) return
    const stalled = Effect.suspend(() => {
      const { revision } = SubscriptionRef.getUnsafe(state)
      return new SourceStalled({ videoId, heard: revision })
    })
    const last = yield* SubscriptionRef.changes(state).pipe(
      Stream.map(({ upload }) => upload),
      Stream.timeoutOrElse({ duration: patience, orElse: () => Stream.fromEffect(stalled) }),
      Stream.filter((it) => areThere(it, ranges) || it._tag === "Expired"),
      Stream.runHead,
    )
    if (Option.isNone(last) || !areThere(last.value, ranges)) {
      return yield* new SourceAbandoned({ videoId })
    }
  })

  /** A little more than was asked for, as far as it is there: the neighbours are asked for next. */
  const widened = ({ from, to }: ByteRange): ByteRange => {
    const wide = { from, to: Math.min(Math.max(to, from + LEAST_FETCH), byteLength) }
    return isThere(current(), wide) ? wide : { from, to }
  }

  const fetchPiece = ({ number, offset, length }: Part, { from, to }: ByteRange) => {
    let at = Math.max(from, offset)
    const range = { from: at - offset, to: Math.min(to, offset + length) - offset }
    return objects.stream(sourcePart(videoId, number), range).pipe(
      Stream.runForEach((bytes) => {
        const here = at
        at += bytes.length
        return copy.write(here, bytes)
      }),
    )
  }

  const fetched = Effect.fnUntraced(function* (range: ByteRange) {
    yield* arrival([range])
    if (copy.missing(range).length === 0) return
    yield* fetching.withPermit(
      Effect.suspend(() =>
        Effect.forEach(
          copy
            .missing(widened(range))
            .flatMap((hole) => partsIn(parts, hole).map((part) => fetchPiece(part, hole))),
          (piece) => piece,
          { concurrency: FETCHES_AT_ONCE, discard: true },
        ),
      ),
    )
  })

  const read = (range: ByteRange) => {
    const clipped = { from: Math.max(0, range.from), to: Math.min(range.to, byteLength) }
    return clipped.to <= clipped.from
      ? Effect.succeed(new Uint8Array())
      : Effect.andThen(fetched(clipped), copy.read(clipped))
  }

  const digestOf = Effect.fnUntraced(function* (ranges: ReadonlyArray<ByteRange>) {
    const hasher = new Bun.CryptoHasher("sha256")
    for (const { from, to } of ranges) {
      hasher.update(`${from}-${to}:`)
      for (let at = from; at < to; at += STRETCH) {
        hasher.update(yield* read({ from: at, to: Math.min(at + STRETCH, to) }))
      }
    }
    return hasher.digest("hex")
  })
  const wholeDigest = yield* Effect.cached(digestOf([everything]))

  return {
    byteLength,
    arrival,
    digest: (ranges) => (ranges === null ? wholeDigest : digestOf(ranges)),
    hasArrived: (ranges) => areThere(current(), ranges),
    read,
    whole: Effect.as(fetched(everything), copy.path),
  } satisfies ArrivingSource
})

/**
 * One view of an upload for all tasks of its video in this process. A task that has heard nothing
 * of it for so long gives its slot back, and waits in the scheduler's memory.
 */
export const sources = (patience: Duration.Input) =>
  Layer.effect(
    Sources,
    Effect.gen(function* () {
      const services = yield* Effect.context<EventStore | ObjectStore | Scratch>()
      const open = yield* RcMap.make({
        lookup: (videoId: string) => Effect.provide(openSource(videoId, patience), services),
        idleTimeToLive: IDLE,
      })
      return { of: (videoId) => RcMap.get(open, videoId) }
    }),
  )
