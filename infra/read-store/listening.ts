/**
 * What other processes commit, heard on one connection to each database that does nothing else.
 * It is opened again for as long as the process lives; while it is down nobody may trust what was
 * heard before.
 */
import { Effect, PubSub, Stream } from "effect"
import postgres from "postgres"
import { isAfter } from "#domain/ids.ts"
import { clientOptions, type Database, unavailable } from "./databases.ts"
import { CHANNEL, readNews } from "./news.ts"
import type { Invalidation } from "./port.ts"

/** Also how long a row may be served that was cached while nothing was heard. */
const PAUSE = "500 millis"

export interface Listener {
  readonly changes: Stream.Stream<Invalidation>
  /** Whether a model is known to have come to a position, in this database. */
  readonly hasReached: (database: number, model: string, position: string) => boolean
  readonly learn: (database: number, checkpoints: ReadonlyMap<string, string>) => void
  /** Ends at the next news. */
  readonly nextNews: Effect.Effect<void>
}

/** Listens until the connection is lost. */
const listenOnce = (database: Database, heard: (payload: string) => void, began: () => void) =>
  Effect.scoped(
    Effect.gen(function* () {
      const lost = Promise.withResolvers<void>()
      // `onnotify` is missing in its types; its own `listen` gives up when a second try fails.
      const options = {
        ...clientOptions,
        max: 1,
        max_lifetime: null,
        connection: { application_name: "reelog listening" },
        onnotify: (_channel: string, payload: string) => heard(payload),
        onclose: () => lost.resolve(),
      }
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => postgres(database.url, options)),
        (open) => Effect.promise(() => open.end({ timeout: 1 })),
      )
      yield* Effect.tryPromise({
        try: () => client.unsafe(`listen ${CHANNEL}`),
        catch: unavailable,
      })
      began()
      yield* Effect.promise(() => lost.promise)
    }),
  )

export const listen = Effect.fn("listen")(function* (databases: ReadonlyArray<Database>) {
  const changes = yield* PubSub.unbounded<Invalidation>()
  const reached = databases.map(() => new Map<string, string>())
  const waiting = new Set<() => void>()

  const tell = (invalidation: Invalidation) => PubSub.publishUnsafe(changes, invalidation)

  const learn: Listener["learn"] = (database, checkpoints) => {
    const known = reached[database]
    for (const [model, position] of checkpoints) {
      if (isAfter(position, known?.get(model) ?? "")) known?.set(model, position)
    }
  }

  const hear = (database: number) => (payload: string) => {
    const news = readNews(payload)
    if (news === undefined) return void tell({ _tag: "Cleared" })
    const models = Object.entries(news.models)
    for (const [model, keys] of models) {
      if (keys === "*") tell({ _tag: "ModelChanged", model })
      else if (keys.length > 0) tell({ _tag: "Changed", model, keys })
    }
    learn(database, new Map(models.map(([model]) => [model, news.position])))
    for (const wake of waiting) wake()
    waiting.clear()
  }

  const forget = (database: number) => () => {
    reached[database]?.clear()
    tell({ _tag: "Cleared" })
  }

  const keepListening = (database: Database) =>
    listenOnce(database, hear(database.index), forget(database.index)).pipe(
      Effect.ignore,
      Effect.andThen(Effect.sync(forget(database.index))),
      Effect.andThen(Effect.sleep(PAUSE)),
      Effect.forever,
      Effect.forkScoped,
    )
  yield* Effect.forEach(databases, keepListening)

  const listener: Listener = {
    changes: Stream.fromPubSub(changes),
    hasReached: (database, model, position) =>
      !isAfter(position, reached[database]?.get(model) ?? ""),
    learn,
    nextNews: Effect.callback((resume) => {
      const wake = () => resume(Effect.void)
      waiting.add(wake)
      return Effect.sync(() => waiting.delete(wake))
    }),
  }
  return listener
})
