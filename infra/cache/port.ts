/**
 * Text kept for a while so that it need not be made again; the caller owns its form. A cache never
 * fails: what it can't do it leaves out, and `through` makes the text anew. An invalidation always
 * wins: text whose making began before it is not kept, and nobody who asks after it is given it.
 */
import { Context, type Effect } from "effect"

export class Cache extends Context.Service<
  Cache,
  {
    readonly get: (key: string) => Effect.Effect<string | null>
    readonly set: (key: string, value: string, ttlSeconds: number) => Effect.Effect<void>
    readonly remove: (keys: ReadonlyArray<string>) => Effect.Effect<void>
    /** Forgets everything: after a time in which invalidations may have been missed. */
    readonly clear: Effect.Effect<void>
    /** Reads through without a stampede: who misses while a load runs shares it. A failure is not kept. */
    readonly through: <E, R>(
      key: string,
      ttlSeconds: number,
      load: Effect.Effect<string, E, R>,
    ) => Effect.Effect<string, E, R>
  }
>()("infra/cache/Cache") {}
