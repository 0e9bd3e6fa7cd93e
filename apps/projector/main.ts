/** The projector process: the log in, rows out. Says `{"ready": …}` at once: its databases may come later. */
import { Effect, Layer } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { postgresRowStore } from "#infra/read-store/postgres-writing.ts"
import { projections, readModels, streamsRead } from "#projections/read-models.ts"
import { projector } from "./app.ts"

const adapters = Layer.merge(eventStoreDb, postgresRowStore(readModels))

const program = Effect.gen(function* () {
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify({ ready: "projector" })}\n`))
  return yield* projector({ projections, streams: streamsRead })
})

runMain(Effect.provide(program, adapters))
