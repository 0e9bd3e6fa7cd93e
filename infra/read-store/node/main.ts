/**
 * The embedded Postgres process. Environment: `REELOG_POSTGRES_DATA` (directory),
 * `REELOG_POSTGRES_PORT` (default: the one it had, else a free one), `REELOG_POSTGRES_PASSWORD`
 * (of its first start), `REELOG_PARENT_PID`. Tells the URLs of its two databases on standard output
 * in one line of JSON, starts Postgres again when that ends by itself, and leaves none behind.
 */
import { Config, Effect, Option, Redacted, Schedule } from "effect"
import { runMain } from "#infra/configuration.ts"
import {
  openDatabases,
  PostgresFailed,
  prepareCluster,
  runCluster,
  type Settings,
  urlsOf,
} from "./cluster.ts"
import { findPrograms, wrap } from "./programs.ts"

const DATABASES = 2

const settings = Config.all({
  directory: Config.String("REELOG_POSTGRES_DATA"),
  port: Config.Int("REELOG_POSTGRES_PORT").pipe(Config.withDefault(0)),
  password: Config.Redacted("REELOG_POSTGRES_PASSWORD").pipe(Config.option),
})

/** Backends of a postmaster that was killed need a moment to notice. */
const again = Schedule.exponential("100 millis", 1.5).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 8 }),
)

const program = Effect.gen(function* () {
  const { directory, port, password } = yield* settings
  const wanted: Settings = {
    directory,
    port,
    password: Option.getOrUndefined(Option.map(password, Redacted.value)),
    databases: DATABASES,
  }
  const programs = findPrograms()
  const wrapping = wrap()
  let isTold = false

  const life = Effect.gen(function* () {
    const cluster = yield* prepareCluster(wanted, programs, wrapping)
    const { ended } = yield* runCluster(cluster, programs, wrapping)
    const opened = Effect.gen(function* () {
      yield* openDatabases(cluster, wanted)
      if (!isTold) process.stdout.write(`${JSON.stringify({ ready: urlsOf(cluster, wanted) })}\n`)
      isTold = true
      return yield* Effect.never
    })
    const code = yield* Effect.raceFirst(ended, opened)
    yield* Effect.logWarning("Postgres ended by itself", { code })
    return yield* new PostgresFailed({ step: "run", detail: `exit ${code}` })
  }).pipe(Effect.scoped)

  return yield* Effect.retry(life, again)
})

runMain(program)
