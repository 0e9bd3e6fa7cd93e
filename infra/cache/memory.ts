/** The cache in the memory of one process: bounded by count and by size, the least recently used goes first. */
import { Clock, Config, Effect, Layer } from "effect"
import { makeFlights } from "./flights.ts"
import { Cache } from "./port.ts"

const settings = Config.all({
  maxEntries: Config.Int("REELOG_CACHE_MAX_ENTRIES").pipe(Config.withDefault(10_000)),
  maxBytes: Config.Int("REELOG_CACHE_MAX_BYTES").pipe(Config.withDefault(32 << 20)),
})

interface Entry {
  readonly value: string
  readonly size: number
  readonly expiresAt: number
}

/** A JavaScript string takes up to two bytes a character. */
const sizeOf = (key: string, value: string) => 2 * (key.length + value.length)

const recentlyUsed = (maxEntries: number, maxBytes: number) => {
  /** In the order of their last use. */
  const entries = new Map<string, Entry>()
  let bytes = 0

  const remove = (key: string) => {
    bytes -= entries.get(key)?.size ?? 0
    entries.delete(key)
  }
  return {
    get: (key: string, now: number): string | null => {
      const entry = entries.get(key)
      if (!entry) return null
      entries.delete(key)
      if (entry.expiresAt > now) entries.set(key, entry)
      else bytes -= entry.size
      return entry.expiresAt > now ? entry.value : null
    },
    set: (key: string, value: string, expiresAt: number) => {
      remove(key)
      const size = sizeOf(key, value)
      if (size > maxBytes) return
      entries.set(key, { value, size, expiresAt })
      bytes += size
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && bytes <= maxBytes) break
        remove(oldest)
      }
    },
    remove,
    clear: () => {
      entries.clear()
      bytes = 0
    },
  }
}

const open = Effect.gen(function* () {
  const { maxEntries, maxBytes } = yield* settings
  const kept = recentlyUsed(maxEntries, maxBytes)
  const flights = makeFlights()

  const get = (key: string) => Effect.map(Clock.currentTimeMillis, (now) => kept.get(key, now))
  const keep = (key: string, value: string, ttlSeconds: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => kept.set(key, value, now + ttlSeconds * 1000))

  return Cache.of({
    get,
    set: (key, value, ttlSeconds) =>
      Effect.suspend(() => {
        flights.invalidate([key])
        return keep(key, value, ttlSeconds)
      }),
    remove: (keys) =>
      Effect.sync(() => {
        flights.invalidate(keys)
        for (const key of keys) kept.remove(key)
      }),
    clear: Effect.sync(() => {
      flights.invalidateAll()
      kept.clear()
    }),
    through: (key, ttlSeconds, load) =>
      Effect.flatMap(get(key), (present) =>
        present !== null
          ? Effect.succeed(present)
          : flights.share(key, (isWanted) =>
              Effect.tap(load, (value) =>
                Effect.suspend(() => (isWanted() ? keep(key, value, ttlSeconds) : Effect.void)),
              ),
            ),
      ),
  })
})

export const memoryCache = Layer.effect(Cache, open)
