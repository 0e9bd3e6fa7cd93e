/** The completion process. Any number of them may run. */
import { Effect, Layer } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { completion } from "./app.ts"

runMain(Effect.provide(completion, Layer.mergeAll(eventStoreDb, s3ObjectStore)))
