/**
 * Texts that are dear to fetch, kept for a while. A cache may forget anything at any time and never
 * fails: without it the load runs. `memory.ts` and `redis.ts` keep the same contract.
 */
import { Context, type Effect } from "effect"

export class Cache extends Context.Service<
  Cache,
  {
    readonly get: (key: string) => Effect.Effect<string | undefined>
    readonly set: (key: string, value: string, ttlSeconds: number) => Effect.Effect<void>
    /** What a load that is running now brings is not kept under these keys. */
    readonly remove: (keys: ReadonlyArray<string>) => Effect.Effect<void>
    readonly clear: Effect.Effect<void>
    /** The kept value, else what `load` brings; misses of one key at one time run one load. */
    readonly through: <E, R>(
      key: string,
      ttlSeconds: number,
      load: Effect.Effect<string, E, R>,
    ) => Effect.Effect<string, E, R>
  }
>()("infra/cache/Cache") {}
