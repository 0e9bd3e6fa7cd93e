/** A cache inside the process: the least recently used entry goes first. */
import { Clock, Effect, Layer } from "effect"
import { Cache } from "./port.ts"
import { singleLoads } from "./single-load.ts"

const MOST_ENTRIES = 10_000

interface Entry {
  readonly value: string
  readonly until: number
}

export const memoryCache = Layer.sync(Cache, () => {
  const entries = new Map<string, Entry>()
  const loads = singleLoads()

  const get = Effect.fnUntraced(function* (key: string) {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    entries.delete(key)
    if (entry.until <= (yield* Clock.currentTimeMillis)) return undefined
    entries.set(key, entry)
    return entry.value
  })

  const set = Effect.fnUntraced(function* (key: string, value: string, ttlSeconds: number) {
    const until = (yield* Clock.currentTimeMillis) + ttlSeconds * 1000
    entries.delete(key)
    entries.set(key, { value, until })
    const oldest = entries.size > MOST_ENTRIES ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
  })

  const remove = (keys: ReadonlyArray<string>) =>
    Effect.sync(() => {
      loads.spoil(keys)
      for (const key of keys) entries.delete(key)
    })

  const clear = Effect.sync(() => {
    loads.spoilAll()
    entries.clear()
  })

  const through: Cache["Service"]["through"] = (key, ttlSeconds, load) =>
    Effect.flatMap(get(key), (kept) =>
      kept === undefined
        ? loads.load(key, load, (value) => set(key, value, ttlSeconds))
        : Effect.succeed(kept),
    )

  return Cache.of({ get, set, remove, clear, through })
})
