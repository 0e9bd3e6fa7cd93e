/**
 * The projector: follows the log from where its slowest model stands and keeps every model of every
 * database up to date. While one batch is written the next one gathers, so batches are small when
 * little happens and large when there is much to catch up with.
 */
import { Clock, Effect, Metric, Option, Queue, Schedule, Schema, Stream } from "effect"
import { isAfter } from "#domain/ids.ts"
import { EventStore, type News, type Recorded } from "#infra/event-store/port.ts"
import { RowStore } from "#infra/read-store/port.ts"
import type { AnyProjection } from "#projections/folding.ts"
import { type Batch, type Places, writeBatch } from "./write-batch.ts"

const LARGEST_BATCH = 1_000
/** Read ahead while a batch is written. */
const WAITING_MOST = 4_000
/** Of a place in the log that changed no row: how long until the databases know it. */
const REST_MILLIS = 1_000
/** A database that is away longer ends the process: its supervisor tells. */
const PATIENCE = "10 minutes"

const eventsFolded = Metric.counter("reelog_projector_events_total", {
  description: "Events folded into read models",
  incremental: true,
})
const batchesWritten = Metric.counter("reelog_projector_batches_total", {
  description: "Batches committed to read models",
  incremental: true,
})

/** A database that answers again is used at once; several projectors don't come back in step. */
const untilItIsBack = Schedule.min([
  Schedule.exponential("50 millis"),
  Schedule.spaced("1 second"),
]).pipe(Schedule.jittered, Schedule.upTo({ duration: PATIENCE }))

const patiently = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.tapError((failure) => Effect.logWarning("the read side does not take rows", failure)),
    Effect.retry({
      while: ({ _tag }) => _tag === "ReadStoreUnavailable",
      schedule: untilItIsBack,
    }),
  )

export interface Reading {
  readonly projections: ReadonlyArray<AnyProjection>
  /** Streams whose events readers wait for. */
  readonly streams: ReadonlyArray<string>
}

/** The tables were emptied, or come from a backup: events that were passed are wanted again. */
class Rewound extends Schema.TaggedError<Rewound>()("Rewound", { database: Schema.Int }) {}

const isBehind = (before: Places, now: Places) =>
  [...before].some(([model, position]) => isAfter(position, now.get(model) ?? ""))

const lowestOf = (all: ReadonlyArray<Places>, projections: ReadonlyArray<AnyProjection>) => {
  const positions = all.flatMap((places) =>
    projections.map(({ name }) => places.get(name) ?? undefined),
  )
  return positions.reduce((low, each) =>
    low === undefined || each === undefined ? undefined : isAfter(low, each) ? each : low,
  )
}

const eventOf = (news: News): ReadonlyArray<Recorded> =>
  news._tag === "Event" ? [news.recorded] : []

const positionOf = (news: News): string | undefined => {
  switch (news._tag) {
    case "Event":
      return news.recorded.position
    case "Checkpoint":
      return news.position
    case "CaughtUp":
      return undefined
  }
}

const batchOf = (gathered: ReadonlyArray<News>): Batch | undefined => {
  const position = gathered.findLast((news) => positionOf(news) !== undefined)
  const last = position && positionOf(position)
  return last === undefined ? undefined : { events: gathered.flatMap(eventOf), position: last }
}

/** Follows until a database has lost what it knew: then all begins again from its checkpoints. */
const followOnce = Effect.fn("projector.follow")(function* ({ projections, streams }: Reading) {
  const log = yield* EventStore
  const rows = yield* RowStore
  const databases = Array.from({ length: rows.databases }, (_, index) => index)

  const readPlaces = (database: number) => patiently(rows.checkpoints(database))
  const places: Array<Places> = [
    ...(yield* Effect.forEach(databases, readPlaces, { concurrency: "unbounded" })),
  ]

  const remember = (database: number, known: Places) =>
    Effect.suspend(() => {
      const isLost = isBehind(places[database] ?? new Map(), known)
      places[database] = known
      return isLost ? Effect.fail(new Rewound({ database })) : Effect.void
    })

  /** Whoever else moved the checkpoint: it is read again, and the batch goes on from there. */
  const writeTo = (batch: Batch) => (database: number) =>
    Effect.suspend(() =>
      writeBatch(projections, database, places[database] ?? new Map(), batch),
    ).pipe(
      Effect.tapError(() =>
        Effect.flatMap(rows.checkpoints(database), (known) => remember(database, known)),
      ),
      Effect.retry({
        while: ({ _tag }) => _tag === "CheckpointMoved",
        schedule: Schedule.spaced("20 millis").pipe(
          Schedule.jittered,
          Schedule.upTo({ times: 50 }),
        ),
      }),
      patiently,
      Effect.tap((known) => remember(database, known)),
    )

  const write = Effect.fn("projector.write")(function* (batch: Batch) {
    yield* Effect.forEach(databases, writeTo(batch), { concurrency: "unbounded", discard: true })
    yield* Metric.update(eventsFolded, batch.events.length)
    yield* Metric.update(batchesWritten, 1)
  })

  const isAwaited = ({ event, stream }: Recorded) =>
    event._tag === "Unreadable" || streams.some((prefix) => stream.startsWith(prefix))

  const began = yield* Clock.currentTimeMillis
  let folded = 0
  /** How long the catching up took: the figure to watch when the log grows. */
  const tellCaughtUp = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.logInfo("caught up with the log", { events: folded, seconds: (now - began) / 1000 }),
  )

  const gathered = yield* Queue.bounded<News>(WAITING_MOST)
  const after = lowestOf(places, projections)
  const following = log
    .follow(after === undefined ? {} : { after })
    .pipe(Stream.runForEachArray((news) => Queue.offerAll(gathered, news)))
  yield* Effect.logInfo("following the log", { after })

  const take = Queue.takeBetween(gathered, 1, LARGEST_BATCH)
  /** A place that nobody waits for, and when it is to be told at the latest. */
  let owed: { readonly batch: Batch; readonly due: number } | undefined

  const step = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const news =
      owed === undefined
        ? Option.some(yield* take)
        : yield* Effect.timeoutOption(take, Math.max(0, owed.due - now))
    if (Option.isNone(news)) {
      const { batch } = owed ?? {}
      owed = undefined
      return batch && (yield* write(batch))
    }
    if (news.value.some(({ _tag }) => _tag === "CaughtUp")) yield* tellCaughtUp
    const batch = batchOf(news.value)
    if (batch === undefined) return
    folded += batch.events.length
    if (batch.events.some(isAwaited)) {
      owed = undefined
      return yield* write(batch)
    }
    // Events that no reader waits for change no row either: their place is enough.
    owed = { batch: { events: [], position: batch.position }, due: owed?.due ?? now + REST_MILLIS }
  })

  return yield* Effect.raceFirst(following, Effect.forever(step))
})

export const projector = (reading: Reading) =>
  followOnce(reading).pipe(
    Effect.tapErrorTag("Rewound", ({ database }) =>
      Effect.logWarning("a database has lost rows: following from its checkpoints again", {
        database,
      }),
    ),
    Effect.retry({
      while: ({ _tag }) => _tag === "Rewound",
      schedule: Schedule.spaced("1 second"),
    }),
  )
