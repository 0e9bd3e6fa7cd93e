/** The scheduler process. A second one with another rank is its standby. */
import { Effect } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { scheduler } from "./app.ts"
import { defaultPlan } from "./default-pipeline.ts"
import { schedulerSettings } from "./settings.ts"

const program = Effect.gen(function* () {
  const settings = yield* schedulerSettings
  yield* scheduler(settings, yield* defaultPlan)
})

runMain(Effect.provide(program, eventStoreDb))
