import { expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { environmentLayer } from "#infra/configuration.ts"
import { cacheContract } from "./contract.ts"
import { memoryCache } from "./memory.ts"
import { Cache } from "./port.ts"

const cacheWith = (variables: Record<string, string> = {}) =>
  Layer.provide(memoryCache, environmentLayer(variables))

cacheContract("memory", () => cacheWith())

test("what was kept is gone when its time is over", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const cache = yield* Cache
      yield* cache.set("row", "x", 10)
      yield* TestClock.adjust("9 seconds")
      expect(yield* cache.get("row")).toBe("x")
      yield* TestClock.adjust("1 second")
      expect(yield* cache.get("row")).toBeNull()
    }).pipe(Effect.provide(Layer.merge(cacheWith(), TestClock.layer()))),
  ))

test("a full cache drops what was not used for longest", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const cache = yield* Cache
      for (const key of ["a", "b", "c"]) yield* cache.set(key, key, 60)
      yield* cache.get("a")
      yield* cache.set("d", "d", 60)
      const kept = yield* Effect.forEach(["a", "b", "c", "d"], cache.get)
      expect(kept).toEqual(["a", null, "c", "d"])
    }).pipe(Effect.provide(cacheWith({ REELOG_CACHE_MAX_ENTRIES: "3" }))),
  ))

test("a cache never holds more bytes than it may", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const cache = yield* Cache
      yield* cache.set("small", "x".repeat(100), 60)
      yield* cache.set("large", "x".repeat(450), 60)
      yield* cache.set("too large", "x".repeat(5_000), 60)
      const kept = yield* Effect.forEach(["small", "large", "too large"], cache.get)
      expect(kept.map((value) => value?.length)).toEqual([undefined, 450, undefined])
    }).pipe(Effect.provide(cacheWith({ REELOG_CACHE_MAX_BYTES: "1000" }))),
  ))
