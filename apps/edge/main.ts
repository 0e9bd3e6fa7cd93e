/** The video server as a process: its log, its object store, its port. Stops without cutting an answer off. */
import { Effect, Layer } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { makeEdge } from "./app.ts"
import { serveOn } from "./serve-on.ts"
import { edgeSettings } from "./settings.ts"

const program = Effect.gen(function* () {
  const settings = yield* edgeSettings
  const edge = yield* makeEdge(settings)
  const { url } = yield* serveOn(settings.listen, edge.fetch)
  yield* Effect.logInfo("serving videos", url.href)
  return yield* Effect.never
})

runMain(program.pipe(Effect.scoped, Effect.provide(Layer.mergeAll(eventStoreDb, s3ObjectStore))))
