/** The completion process. Any number of them may run. Says `{"ready": …}` when it begins. */
import { Effect, Layer } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { completion } from "./app.ts"

const program = Effect.gen(function* () {
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify({ ready: "completion" })}\n`))
  return yield* completion
})

runMain(Effect.provide(program, Layer.mergeAll(eventStoreDb, s3ObjectStore)))
