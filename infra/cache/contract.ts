/** What every cache adapter must do, whatever lies behind it. */
import { afterAll, describe, expect, test } from "bun:test"
import { Data, Deferred, Effect, Fiber, type Layer, ManagedRuntime } from "effect"
import { Cache } from "./port.ts"

class RowMissing extends Data.TaggedError("RowMissing")<{ readonly id: string }> {}

/** A load that says when it began and waits to be let go. */
const controlled = (value: string) =>
  Effect.sync(() => {
    const began = Deferred.makeUnsafe<void>()
    const go = Deferred.makeUnsafe<void>()
    let runs = 0
    const load = Effect.suspend(() => {
      runs += 1
      return Deferred.succeed(began, undefined)
    }).pipe(Effect.andThen(Deferred.await(go)), Effect.as(value))
    return {
      load,
      began: Deferred.await(began),
      go: Deferred.succeed(go, undefined),
      runs: () => runs,
    }
  })

export const cacheContract = <E>(name: string, layer: () => Layer.Layer<Cache, E>) => {
  let runtime: ManagedRuntime.ManagedRuntime<Cache, E> | undefined
  const run = <A, F>(effect: Effect.Effect<A, F, Cache>) => {
    runtime ??= ManagedRuntime.make(layer())
    return runtime.runPromise(effect)
  }
  const newKey = () => `row:${crypto.randomUUID()}`

  describe(`${name} cache`, () => {
    afterAll(() => runtime?.dispose())

    test("gives back what was set until it is removed", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const [one, other] = [newKey(), newKey()]
          expect(yield* cache.get(one)).toBeNull()
          yield* cache.set(one, "하나 | 1", 60)
          yield* cache.set(other, "", 60)
          expect([yield* cache.get(one), yield* cache.get(other)]).toEqual(["하나 | 1", ""])
          yield* cache.set(one, "two", 60)
          expect(yield* cache.get(one)).toBe("two")
          yield* cache.remove([one, newKey()])
          yield* cache.remove([])
          expect([yield* cache.get(one), yield* cache.get(other)]).toEqual([null, ""])
        }),
      ))

    test("forgets everything when cleared", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const keys = [newKey(), newKey()]
          for (const key of keys) yield* cache.set(key, "x", 60)
          yield* cache.clear
          for (const key of keys) expect(yield* cache.get(key)).toBeNull()
          yield* cache.set(keys[0] ?? "", "again", 60)
          expect(yield* cache.get(keys[0] ?? "")).toBe("again")
        }),
      ))

    test("loads once for all who miss at the same time, and not again", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const key = newKey()
          const { load, began, go, runs } = yield* controlled("loaded")
          const readers = yield* Effect.forkChild(
            Effect.all(
              Array.from({ length: 50 }, () => cache.through(key, 60, load)),
              {
                concurrency: "unbounded",
              },
            ),
          )
          yield* began
          yield* go
          expect(new Set(yield* Fiber.join(readers))).toEqual(new Set(["loaded"]))
          expect(yield* cache.through(key, 60, load)).toBe("loaded")
          expect(runs()).toBe(1)
        }),
      ))

    test("tells all who wait of a failure, and does not keep it", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const key = newKey()
          const missing = new RowMissing({ id: key })
          const failing = cache.through(key, 60, Effect.fail(missing))
          const failures = yield* Effect.all([Effect.flip(failing), Effect.flip(failing)], {
            concurrency: "unbounded",
          })
          expect(failures).toEqual([missing, missing])
          expect(yield* cache.through(key, 60, Effect.succeed("there now"))).toBe("there now")
        }),
      ))

    for (const by of ["remove", "clear"] as const) {
      test(`does not keep what was loading when ${by} came, nor give it to who asks later`, () =>
        run(
          Effect.gen(function* () {
            const cache = yield* Cache
            const key = newKey()
            const old = yield* controlled("the old row")
            const early = yield* Effect.forkChild(cache.through(key, 60, old.load))
            yield* old.began
            yield* by === "remove" ? cache.remove([key]) : cache.clear
            const late = cache.through(key, 60, Effect.succeed("the new row"))
            expect(yield* late).toBe("the new row")
            yield* old.go
            expect(yield* Fiber.join(early)).toBe("the old row")
            expect(yield* cache.get(key)).toBe("the new row")
          }),
        ))
    }

    test("does not let a late load overwrite what was set meanwhile", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const key = newKey()
          const old = yield* controlled("the old row")
          const early = yield* Effect.forkChild(cache.through(key, 60, old.load))
          yield* old.began
          yield* cache.set(key, "the new row", 60)
          yield* old.go
          yield* Fiber.join(early)
          expect(yield* cache.get(key)).toBe("the new row")
        }),
      ))

    test("finishes a load for the others when the first who asked goes away", () =>
      run(
        Effect.gen(function* () {
          const cache = yield* Cache
          const key = newKey()
          const { load, began, go, runs } = yield* controlled("loaded")
          const first = yield* Effect.forkChild(cache.through(key, 60, load))
          yield* began
          const second = yield* Effect.forkChild(cache.through(key, 60, load))
          yield* Fiber.interrupt(first)
          yield* go
          expect(yield* Fiber.join(second)).toBe("loaded")
          expect(runs()).toBe(1)
        }),
      ))
  })
}
