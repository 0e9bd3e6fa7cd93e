/**
 * One client of the event store, `ours` (the adapter) or `bare` (the client library): how fast it
 * appends and replays. A process for each: the library keeps its pending appends for the process.
 * Its last line is the result, JSON.
 */
import { EventStoreDBClient, jsonEvent, NO_STREAM, START } from "@eventstore/db-client"
import { Effect, Layer, Stream } from "effect"
import { writeEvent } from "#domain/events.ts"
import { videoStream } from "#domain/ids.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { EventStore, type NewEvent } from "#infra/event-store/port.ts"
import { lifeOf } from "#projections/testing-events.ts"

const SINGLES = 400
const AT_ONCE = 64
const ROUNDS = 20
const BATCH = 100
const BATCHES = 60

interface Client {
  readonly append: (stream: string, events: ReadonlyArray<NewEvent>) => Promise<unknown>
  /** All events of the log, one by one; how many. */
  readonly replay: () => Promise<number>
  readonly close: () => Promise<unknown>
}

const metadata = {
  ...{ $correlationId: "c", $causationId: "c", actor: "owner", region: "local", version: 1 },
}
const events = (count: number): ReadonlyArray<NewEvent> =>
  Array.from({ length: count }, () => ({
    id: crypto.randomUUID(),
    event: lifeOf(1).created,
    metadata,
  }))
const newStream = () => videoStream(crypto.randomUUID())

const bare = (url: string): Client => {
  const client = EventStoreDBClient.connectionString(url)
  return {
    append: (stream, some) =>
      client.appendToStream(
        stream,
        some.map(({ id, event }) => jsonEvent({ id, ...writeEvent(event), metadata })),
        { expectedRevision: NO_STREAM },
      ),
    replay: async () => {
      let count = 0
      for await (const { event } of client.readAll({ fromPosition: START })) {
        if (event !== undefined) count += 1
      }
      return count
    },
    close: () => client.dispose(),
  }
}

const ours = async (url: string): Promise<Client> => {
  const open = Promise.withResolvers<EventStore["Service"]>()
  const closing = new AbortController()
  const held = Effect.gen(function* () {
    open.resolve(yield* EventStore)
    return yield* Effect.never
  })
  const layer = Layer.provide(eventStoreDb, environmentLayer({ REELOG_EVENTSTORE_URL: url }))
  const running = Effect.runPromiseExit(Effect.provide(held, layer), { signal: closing.signal })
  const store = await open.promise
  return {
    append: (stream, some) =>
      Effect.runPromise(store.append(stream as ReturnType<typeof videoStream>, "none", some)),
    replay: () => Effect.runPromise(Stream.runCount(store.readAll())),
    close: () => {
      closing.abort()
      return running
    },
  }
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

/** Wall seconds, and processor seconds of this process. */
const timed = async <A>(work: () => Promise<A>) => {
  const [began, before] = [performance.now(), cpuSeconds()]
  const result = await work()
  return { result, seconds: (performance.now() - began) / 1000, cpu: cpuSeconds() - before }
}

const appends = async ({ append }: Client) => {
  for (const event of events(100)) await append(newStream(), [event])
  const singles: Array<number> = []
  for (const event of events(SINGLES)) {
    singles.push((await timed(() => append(newStream(), [event]))).seconds)
  }
  singles.sort((a, b) => a - b)
  const atOnce = await timed(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(events(AT_ONCE).map((event) => append(newStream(), [event])))
    }
  })
  const batches = await timed(async () => {
    for (let batch = 0; batch < BATCHES; batch++) await append(newStream(), events(BATCH))
  })
  return {
    p50Millis: (singles[SINGLES / 2] ?? 0) * 1000,
    atOncePerSecond: (AT_ONCE * ROUNDS) / atOnce.seconds,
    batchedPerSecond: (BATCH * BATCHES) / batches.seconds,
  }
}

const replays = async ({ replay }: Client) => {
  const { result, seconds, cpu } = await timed(replay)
  return { events: result, perSecond: result / seconds, cpuMicros: (cpu / result) * 1_000_000 }
}

const [side, what, url = ""] = process.argv.slice(2)
const client = side === "bare" ? bare(url) : await ours(url)
console.log(JSON.stringify(what === "appends" ? await appends(client) : await replays(client)))
await client.close()
process.exit(0)
