/** The API process alone, behind a load balancer; any number of them. */
import { Effect } from "effect"
import { runMain } from "#infra/configuration.ts"
import { adapters } from "./adapters.ts"
import { api } from "./app.ts"
import { serve } from "./serve.ts"

runMain(Effect.scoped(Effect.provide(serve(api), adapters)))
