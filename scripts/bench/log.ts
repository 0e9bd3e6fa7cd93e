/**
 * The event log: appends and replay through the adapter beside the bare client library on the same
 * node, in turn; then a read model followed and rebuilt from it. Take the ratios.
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Effect, Layer, Logger } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { spawnNode, type TestNode } from "#infra/event-store/node/testing.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { startPostgres } from "#infra/read-store/node/testing.ts"
import { ReadStore, RowStore } from "#infra/read-store/port.ts"
import { postgresReadStore } from "#infra/read-store/postgres.ts"
import { postgresRowStore } from "#infra/read-store/postgres-writing.ts"
import { readModels, streamsRead } from "#projections/read-models.ts"
import { rebuild } from "#projections/rebuild.ts"
import { watchPage } from "#projections/watch-page.ts"
import { projector } from "../../apps/projector/app.ts"
import { happen, wholeLife } from "../../apps/projector/testing.ts"
import { secondsOfTree } from "./usage.ts"

const ROUNDS = 5
const WRITERS = 64

type Figures = Readonly<Record<string, number>>

const { values } = parseArgs({ options: { videos: { type: "string", default: "1500" } } })
const videos = Number(values.videos)

const median = (numbers: ReadonlyArray<number>) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

const client = async (node: TestNode, side: string, what: string): Promise<Figures> => {
  const script = join(import.meta.dir, "log-client.ts")
  const child = Bun.spawn([process.execPath, "--no-orphans", script, side, what, node.url])
  const lines = (await new Response(child.stdout).text()).trim().split("\n")
  if ((await child.exited) !== 0) throw new Error(`the ${side} client failed`)
  return JSON.parse(lines.at(-1) ?? "{}")
}

/** Both sides in turn, so that a busy moment hits both; once before, while the node warms up. */
const inTurn = async (node: TestNode, what: string) => {
  await client(node, "bare", what)
  const rounds: Array<readonly [Figures, Figures]> = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push([await client(node, "ours", what), await client(node, "bare", what)])
  }
  return (name: string) =>
    [0, 1].map((side) => median(rounds.map((round) => round[side]?.[name] ?? 0)))
}

const print = (name: string, [mine = 0, theirs = 0]: ReadonlyArray<number>, digits = 0) =>
  console.log(
    `${name.padEnd(42)} ${mine.toFixed(digits).padStart(9)} ${theirs.toFixed(digits).padStart(9)} ${(mine / theirs).toFixed(2).padStart(6)}`,
  )

const timed = <A, E, R>(work: Effect.Effect<A, E, R>, pids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const cpu = () => {
      const { user, system } = process.cpuUsage()
      return [(user + system) / 1_000_000, ...pids.map(secondsOfTree)]
    }
    const [before, began] = [cpu(), performance.now()]
    const result = yield* work
    const seconds = (performance.now() - began) / 1000
    return { result, seconds, cpu: cpu().map((each, i) => each - (before[i] ?? 0)) }
  })

const line = (name: string, events: number, seconds: number, cpu: ReadonlyArray<number>) => {
  const [mine, log, database] = cpu.map((each) => ((each / events) * 1_000_000).toFixed(1))
  console.log(
    `${name.padEnd(42)} ${(events / seconds).toFixed(0).padStart(9)}   CPU us an event: ${mine} here, ${log} event store, ${database} Postgres`,
  )
}

/** Lives of videos go in, a follower makes rows of them, then a rebuild makes them again. */
const readModel = (pids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const log = yield* EventStore
    const rows = yield* RowStore
    const reading = yield* ReadStore
    const lives = Array.from({ length: videos }, (_, n) => wholeLife(n))
    yield* Effect.forEach(lives, (life) => happen(...life), { concurrency: WRITERS })
    const end = yield* log.end
    const count = lives.flat().length
    yield* Effect.forkScoped(projector({ projections: [watchPage], streams: streamsRead }))
    // A wait ends after 5 s; a long log takes longer.
    const caughtUp = reading
      .waitFor(watchPage.name, end)
      .pipe(Effect.retry({ while: ({ _tag }) => _tag === "ReadModelBehind" }))
    const followed = yield* timed(caughtUp, pids)
    line("followed into watch pages, events/s", count, followed.seconds, followed.cpu)
    const { result, seconds, cpu } = yield* timed(rebuild(log, rows, watchPage, streamsRead), pids)
    line("rebuilt watch pages, events/s", result.events, seconds, cpu)
    console.log(`  ${result.events} events, ${result.rows} rows, ${result.differences} differences`)
    return result.differences
  }).pipe(Effect.scoped)

const node = await spawnNode()
const postgres = await startPostgres()
try {
  const stores = Layer.mergeAll(
    eventStoreDb,
    postgresReadStore(readModels),
    postgresRowStore(readModels),
    Logger.layer([]),
  )
  const variables = {
    REELOG_EVENTSTORE_URL: node.url,
    REELOG_DATABASE_URLS: postgres.urls.join(","),
  }
  const layers = Layer.provide(stores, environmentLayer(variables))
  const story = readModel([node.pid(), postgres.pid])
  const differences = await Effect.runPromise(Effect.provide(story, layers))

  console.log(
    `${"".padEnd(42)} ${"adapter".padStart(9)} ${"bare".padStart(9)} ${"ratio".padStart(6)}`,
  )
  const replayed = await inTurn(node, "replay")
  print("replay, events/s", replayed("perSecond"))
  print("replay, CPU us an event (client)", replayed("cpuMicros"), 1)
  console.log(`  ${replayed("events")[0]} events`)
  const appended = await inTurn(node, "appends")
  print("append one, ms (p50)", appended("p50Millis"), 2)
  print("appends/s, 64 at once", appended("atOncePerSecond"))
  print("events/s in batches of 100", appended("batchedPerSecond"))
  process.exitCode = differences === 0 ? 0 : 1
} finally {
  await node.dispose()
  await postgres.stop()
}
