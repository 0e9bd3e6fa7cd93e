/** The adapters an API process runs on, by its environment: Redis when it is named, else a cache of its own. */
import { Config, Effect, Layer, Option } from "effect"
import { memoryCache } from "#infra/cache/memory.ts"
import { redisCache } from "#infra/cache/redis.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { postgresReadStore } from "#infra/read-store/postgres.ts"
import { postgresRowStore } from "#infra/read-store/postgres-writing.ts"
import { readModels } from "#projections/read-models.ts"
import { liveProgress } from "./live.ts"
import { liveQueues } from "./queue.ts"
import { apiSettings } from "./settings.ts"

const stores = Layer.mergeAll(
  eventStoreDb,
  s3ObjectStore,
  postgresReadStore(readModels),
  postgresRowStore(readModels),
)

const cache = Layer.unwrap(
  Effect.map(Config.option(Config.String("REELOG_REDIS_URL")), (url) =>
    Option.isSome(url) ? redisCache : memoryCache,
  ),
)

export const adapters = Layer.mergeAll(
  personalData,
  liveProgress,
  liveQueues,
  hmacIdentity,
  cache,
).pipe(Layer.provideMerge(Layer.mergeAll(stores, apiSettings)))
