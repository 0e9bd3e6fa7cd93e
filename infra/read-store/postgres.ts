/**
 * The read side on Postgres, as readers see it: prepared questions to the shard of a key or to all,
 * waiting for a position, and the news of what has changed. `postgres-writing.ts` is its other half.
 */
import { Context, Effect, Layer } from "effect"
import { isAfter } from "#domain/ids.ts"
import { type Database, openDatabases, type ReadModels } from "./databases.ts"
import { listen } from "./listening.ts"
import {
  type Checkpoint,
  Invalidations,
  type ParkedEvent,
  type Query,
  ReadModelBehind,
  ReadStore,
  ReadStoreUnavailable,
} from "./port.ts"

const WAIT_SECONDS = 5
/** In case no news is heard: the checkpoints are read again. */
const LOOK_AGAIN = "500 millis"

type Prepared = ReturnType<Query<never, unknown>["prepare"]>

/** A question is prepared once for each database. */
const asker = ({ drizzle, ask }: Database) => {
  const prepared = new Map<string, Prepared>()
  return <Parameters extends object, Row>(query: Query<Parameters, Row>, parameters: Parameters) =>
    ask(() => {
      const known = prepared.get(query.name) ?? query.prepare(drizzle, query.name)
      prepared.set(query.name, known)
      return known.execute({ ...(parameters as Record<string, unknown>) }) as PromiseLike<
        ReadonlyArray<Row>
      >
    })
}

export const readCheckpoints = ({ ask }: Database) =>
  ask(async ({ sql }) => {
    const rows = await sql<Array<Checkpoint>>`select model, position from checkpoints`
    return new Map(rows.map(({ model, position }) => [model, position]))
  })

const readParked = ({ ask }: Database) =>
  ask(
    ({ sql }) => sql<Array<ParkedEvent>>`
      select position, stream, revision, type, model, reason, parked_at::float8 as "parkedAt"
      from parked_events order by length(position), position limit 100`,
  )

const byPosition = (one: ParkedEvent, other: ParkedEvent) =>
  Number(isAfter(one.position, other.position)) - Number(isAfter(other.position, one.position))

/** Of each model, where it is furthest behind; a model that a database has not begun is at "0". */
const lowest = (all: ReadonlyArray<ReadonlyMap<string, string>>): ReadonlyArray<Checkpoint> => {
  const models = new Set(all.flatMap((checkpoints) => [...checkpoints.keys()]))
  return [...models].map((model) => {
    const positions = all.map((checkpoints) => checkpoints.get(model) ?? "0")
    const position = positions.reduce((low, each) => (isAfter(low, each) ? each : low))
    return { model, position }
  })
}

export const postgresReadStore = (readModels: ReadModels) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const databases = yield* openDatabases(readModels)
      const listener = yield* listen(databases)
      const askers = databases.map(asker)

      const onShardOf: ReadStore["Service"]["onShardOf"] = (key, query, parameters) => {
        const ask = askers[readModels.databaseOf(key, askers.length)]
        return ask === undefined
          ? Effect.fail(new ReadStoreUnavailable({ cause: "no database is configured" }))
          : ask(query, parameters)
      }

      const onEvery = <A>(
        question: (database: Database) => Effect.Effect<A, ReadStoreUnavailable>,
      ) => Effect.forEach(databases, question, { concurrency: "unbounded" })

      const hasReached = (model: string, position: string) =>
        databases.every(({ index }) => listener.hasReached(index, model, position))

      const lookEverywhere = onEvery((database) =>
        Effect.map(readCheckpoints(database), (known) => listener.learn(database.index, known)),
      )

      const waitFor: ReadStore["Service"]["waitFor"] = (model, position) => {
        // Whoever listens before looking misses nothing in between.
        const look = Effect.flatMap(lookEverywhere, () =>
          hasReached(model, position) ? Effect.void : Effect.never,
        )
        const news = Effect.timeoutOption(listener.nextNews, LOOK_AGAIN)
        const wait = Effect.raceFirst(news, look).pipe(
          Effect.repeat({ until: () => hasReached(model, position) }),
          Effect.timeoutOrElse({
            duration: `${WAIT_SECONDS} seconds`,
            orElse: () => Effect.fail(new ReadModelBehind({ model, position })),
          }),
        )
        return Effect.suspend(() =>
          hasReached(model, position) ? Effect.void : Effect.asVoid(wait),
        )
      }

      const readStore = ReadStore.of({
        onShardOf,
        onEveryShard: (query, parameters) =>
          Effect.map(
            Effect.forEach(askers, (ask) => ask(query, parameters), { concurrency: "unbounded" }),
            (answers) => answers.flat(),
          ),
        waitFor,
        ping: Effect.asVoid(onEvery(({ ask }) => ask(({ sql }) => sql`select 1`))),
        checkpoints: Effect.map(onEvery(readCheckpoints), lowest),
        parked: Effect.map(onEvery(readParked), (answers) => answers.flat().sort(byPosition)),
      })
      return Context.make(ReadStore, readStore).pipe(
        Context.add(Invalidations, Invalidations.of({ changes: listener.changes })),
      )
    }),
  )
