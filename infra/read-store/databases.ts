/**
 * The databases of the read side: bounded pools, migrated before the first question, and what goes
 * wrong with them sorted into "away" and "a bug".
 */
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js"
import { Config, Effect, Redacted, Schema, Semaphore } from "effect"
import postgres, { type Sql } from "postgres"
import { migrate } from "./migrate.ts"
import { ReadStoreUnavailable } from "./port.ts"

/** What the caller knows of its rows: their tables, and where a key lies. */
export interface ReadModels {
  readonly migrations: URL
  readonly databaseOf: (key: string, databases: number) => number
}

export interface Database {
  readonly index: number
  readonly url: string
  readonly sql: Sql
  readonly drizzle: PostgresJsDatabase
  /** Asks a migrated database. What Postgres refuses for the question's own fault is a defect. */
  readonly ask: <A>(question: (database: Database) => PromiseLike<A>) => Asked<A>
}

export type Asked<A> = Effect.Effect<A, ReadStoreUnavailable>

const ownMigrations = new URL("./migrations/", import.meta.url)

const PATIENCE_SECONDS = 10
const CONNECT_SECONDS = 3

const databaseUrls = Config.Redacted("REELOG_DATABASE_URLS").pipe(
  Config.map((urls) =>
    Redacted.value(urls)
      .split(",")
      .filter((url) => url !== ""),
  ),
)
const poolSize = Config.Int("REELOG_DATABASE_POOL").pipe(Config.withDefault(4))

// What goes wrong

/** Undefined: not told by Postgres, so the connection's fault. */
export const sqlStateOf = (cause: unknown): string | undefined =>
  cause instanceof postgres.PostgresError ? cause.code : undefined

/** The tables are gone: dropped, or another cluster answers at this address. */
const isEmptied = (cause: unknown) => ["42P01", "3F000"].includes(sqlStateOf(cause) ?? "")

/** Connection, insufficient resources, lock not available, operator intervention, system error, rollback, credentials, no such database. */
const isAway = (cause: unknown) => {
  const state = sqlStateOf(cause)
  return state === undefined || /^(08|53|55|57|58|XX|40|28|3D)/.test(state) || isEmptied(cause)
}

/** Wrong value, broken constraint, too long a statement: what is in the rows, not how they came. */
export const isRefused = (cause: unknown) => /^(22|23|54)/.test(sqlStateOf(cause) ?? "")

export const unavailable = (cause: unknown) => new ReadStoreUnavailable({ cause })

/** Until it is sorted into "away" and "a bug". */
class Unanswered extends Schema.TaggedError<Unanswered>()("Unanswered", {
  cause: Schema.Defect(),
}) {}

// Pools

const quick = { backoff: () => 0.1, connect_timeout: CONNECT_SECONDS, onnotice: () => {} }

export const clientOptions = { ...quick, fetch_types: false, keep_alive: 30 }

interface Opening {
  readonly index: number
  readonly url: string
  readonly pool: number
  /** After which an unused connection is closed; 0: never. */
  readonly idleSeconds?: number
  /** Schemas in which tables are looked for. Default: `public`. */
  readonly searchPath?: string
  readonly prepare: (sql: Sql) => Promise<unknown>
}

const patiently = Effect.timeoutOrElse({
  duration: `${PATIENCE_SECONDS} seconds`,
  orElse: () => Effect.fail(unavailable("too slow")),
})

/** Once it has worked, not again until the tables are gone. */
const once = (prepare: Effect.Effect<unknown, ReadStoreUnavailable>) => {
  const turn = Semaphore.makeUnsafe(1)
  let isDone = false
  const attempt = Effect.suspend(() =>
    isDone
      ? Effect.void
      : Effect.asVoid(
          Effect.tap(prepare, () => {
            isDone = true
            return Effect.void
          }),
        ),
  )
  return {
    ready: Effect.suspend(() => (isDone ? Effect.void : turn.withPermit(attempt))),
    forget: Effect.sync(() => {
      isDone = false
    }),
  }
}

export const openDatabase = Effect.fn("openDatabase")(function* (opening: Opening) {
  const { index, url, pool, idleSeconds = 60, searchPath = "public", prepare } = opening
  const sql = yield* Effect.acquireRelease(
    Effect.sync(() =>
      postgres(url, {
        ...clientOptions,
        max: pool,
        idle_timeout: idleSeconds,
        connection: { search_path: searchPath, application_name: "reelog" },
      }),
    ),
    (open) => Effect.promise(() => open.end({ timeout: 2 })),
  )
  const prepared = once(
    Effect.tryPromise({ try: () => prepare(sql), catch: unavailable }).pipe(patiently),
  )
  const ask: Database["ask"] = (question) => {
    const answer = Effect.tryPromise({
      try: () => Promise.resolve(question(database)),
      catch: (cause) => new Unanswered({ cause }),
    })
    return Effect.andThen(prepared.ready, answer).pipe(
      Effect.tapErrorTag("Unanswered", ({ cause }) =>
        isEmptied(cause) ? prepared.forget : Effect.void,
      ),
      Effect.retry({
        times: 1,
        while: (failure) => failure._tag === "Unanswered" && isEmptied(failure.cause),
      }),
      Effect.catchTag("Unanswered", ({ cause }) =>
        isAway(cause) ? Effect.fail(unavailable(cause)) : Effect.die(cause),
      ),
      patiently,
    )
  }
  const database: Database = {
    index,
    url,
    sql,
    drizzle: drizzle({ client: sql, casing: "snake_case" }),
    ask,
  }
  return database
})

/** All of them, each migrated at its first question: a process starts without its databases. */
export const openDatabases = Effect.fn("openDatabases")(function* ({ migrations }: ReadModels) {
  const urls = yield* databaseUrls
  const pool = yield* poolSize
  return yield* Effect.forEach(urls, (url, index) => {
    const place = { index, databases: urls.length }
    const prepare = (sql: Sql) => migrate(sql, [ownMigrations, migrations], place)
    return openDatabase({ index, url, pool, prepare })
  })
})
