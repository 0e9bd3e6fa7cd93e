/** The scheduler process. A second one with another rank is its standby. Says `{"ready": …}` when it begins to read. */
import { Effect } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { scheduler } from "./app.ts"
import { defaultPlan } from "./default-pipeline.ts"
import { schedulerSettings } from "./settings.ts"

const program = Effect.gen(function* () {
  const settings = yield* schedulerSettings
  const plan = yield* defaultPlan
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify({ ready: "scheduler" })}\n`))
  return yield* scheduler(settings, plan)
})

runMain(Effect.provide(program, eventStoreDb))
