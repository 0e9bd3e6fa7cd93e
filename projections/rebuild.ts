/**
 * Proves a read model by making it again: replays the log into a second table, compares that with
 * the live one row by row at the same position, and puts it in its place. The stores of `infra/`
 * have the shapes asked for here.
 */
import { Clock, Effect, Stream } from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import { isAfter } from "#domain/ids.ts"
import { type Addressed, type AnyProjection, addressed, foldRows, type Row } from "./folding.ts"
import type { Fact } from "./projection.ts"

const BATCH = 1_000

type Logged = Omit<Fact, "event"> & { readonly event: DomainEvent | Unreadable }

export interface Log<Failure> {
  readonly readAll: (options: {
    readonly after?: string
    readonly filter?: { readonly streams?: ReadonlyArray<string> }
  }) => Stream.Stream<Logged, Failure>
}

interface Changed {
  readonly upserts: ReadonlyArray<Row>
  readonly removals: ReadonlyArray<string>
}

interface Comparison {
  readonly rows: number
  readonly differences: number
  readonly examples: ReadonlyArray<string>
}

/** A row that the database does not take for what it holds. */
interface Refused {
  readonly _tag: "RowRefused"
}

const isRefused = (failure: unknown): failure is Refused =>
  typeof failure === "object" &&
  failure !== null &&
  "_tag" in failure &&
  failure._tag === "RowRefused"

interface Shadow<Failure> {
  readonly write: (database: number, changes: Changed) => Effect.Effect<void, Failure | Refused>
  readonly load: (
    database: number,
    keys: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<string, Row>, Failure>
  readonly swap: <E>(
    database: number,
    catchUp: (checkpoint: string | null) => Effect.Effect<string, E>,
  ) => Effect.Effect<Comparison, E | Failure>
}

export interface Rows<Failure> {
  readonly databases: number
  readonly databaseOf: (key: string) => number
  readonly checkpoints: (database: number) => Effect.Effect<ReadonlyMap<string, string>, Failure>
  readonly shadow: <A, E, R>(
    model: AnyProjection,
    use: (shadow: Shadow<Failure>) => Effect.Effect<A, E, R>,
  ) => Effect.Effect<A, E | Failure, R>
}

export interface Rebuilt {
  readonly model: string
  readonly rows: number
  /** Rows of the live table that were missing, too many or not the same; the keys of some. */
  readonly differences: number
  readonly examples: ReadonlyArray<string>
  readonly events: number
  readonly seconds: number
}

const isReadable = (logged: Logged): logged is Fact => logged.event._tag !== "Unreadable"

/** Up to the live table's place; the rest of the log is for the followers. */
const within = (position: string, checkpoint: string) => !isAfter(position, checkpoint)

export const rebuild = Effect.fn("rebuild")(function* <LogFailure, RowsFailure>(
  log: Log<LogFailure>,
  rows: Rows<RowsFailure>,
  projection: AnyProjection,
  streams: ReadonlyArray<string>,
) {
  const began = yield* Clock.currentTimeMillis
  const databases = Array.from({ length: rows.databases }, (_, index) => index)
  let events = 0

  /** As the followers do: what the database refuses is found by halving, and passed over. */
  const write = (
    shadow: Shadow<RowsFailure>,
    database: number,
    all: ReadonlyArray<Addressed>,
  ): Effect.Effect<void, RowsFailure | Refused> =>
    Effect.gen(function* () {
      const keys = [...new Set(all.map(({ key }) => key))]
      const known = yield* shadow.load(database, keys)
      const middle = Math.ceil(all.length / 2)
      const halves = all.length > 1 ? [all.slice(0, middle), all.slice(middle)] : []
      yield* shadow
        .write(database, foldRows(projection, known, all))
        .pipe(
          Effect.catchIf(isRefused, () =>
            Effect.forEach(halves, (half) => write(shadow, database, half), { discard: true }),
          ),
        )
    })

  const fold = (shadow: Shadow<RowsFailure>, database: number, facts: ReadonlyArray<Fact>) => {
    const mine = addressed(projection, facts).events.filter(
      ({ key }) => rows.databaseOf(key) === database,
    )
    return mine.length === 0 ? Effect.void : write(shadow, database, mine)
  }

  /** One pass over the log for the databases whose places are given. */
  const replay = (
    shadow: Shadow<RowsFailure>,
    places: ReadonlyMap<number, string>,
    after: string | undefined,
  ) => {
    const furthest = [...places.values()].reduce((far, each) => (isAfter(each, far) ? each : far))
    return log.readAll({ ...(after !== undefined && { after }), filter: { streams } }).pipe(
      Stream.takeWhile(({ position }) => within(position, furthest)),
      Stream.filter(isReadable),
      Stream.grouped(BATCH),
      Stream.runForEach((facts) => {
        events += facts.length
        return Effect.forEach(
          places,
          ([database, place]) =>
            fold(
              shadow,
              database,
              facts.filter(({ position }) => within(position, place)),
            ),
          { concurrency: "unbounded", discard: true },
        )
      }),
    )
  }

  const comparisons = yield* rows.shadow(projection, (shadow) =>
    Effect.gen(function* () {
      const places = new Map<number, string>()
      for (const database of databases) {
        const known = yield* rows.checkpoints(database)
        places.set(database, known.get(projection.name) ?? "0")
      }
      yield* replay(shadow, places, undefined)
      // While a database is held, its followers wait: only the last stretch is replayed then.
      return yield* Effect.forEach(databases, (database) =>
        shadow.swap(database, (checkpoint) => {
          const place = places.get(database) ?? "0"
          const now = checkpoint ?? place
          return Effect.as(
            within(now, place) ? Effect.void : replay(shadow, new Map([[database, now]]), place),
            now,
          )
        }),
      )
    }),
  )

  const ended = yield* Clock.currentTimeMillis
  const sum = (of: (comparison: Comparison) => number) =>
    comparisons.reduce((total, comparison) => total + of(comparison), 0)
  const rebuilt: Rebuilt = {
    model: projection.name,
    rows: sum((comparison) => comparison.rows),
    differences: sum((comparison) => comparison.differences),
    examples: comparisons.flatMap(({ examples }) => examples),
    events,
    seconds: (ended - began) / 1000,
  }
  return rebuilt
})
