import { describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { AccountId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { PersonalData } from "./port.ts"
import { personalData } from "./vault.ts"

const ada = AccountId.make("ada")
const bob = AccountId.make("bob")
const keyOf = (byte: number) => Buffer.alloc(32, byte).toString("base64")
const vaultWith = (key: string) =>
  Layer.provide(personalData, environmentLayer({ REELOG_PERSONAL_DATA_KEY: key }))

const run = <A, E>(effect: Effect.Effect<A, E, PersonalData | ObjectStore>) =>
  Effect.runPromise(
    Effect.provide(effect, Layer.provideMerge(vaultWith(keyOf(1)), memoryObjectStore)),
  )

/** The service of another process over the same objects. */
const another = (key: string) => PersonalData.pipe(Effect.provide(Layer.fresh(vaultWith(key))))

describe("sealed text", () => {
  test("opens to what it was, in this process and in another", () =>
    run(
      Effect.gen(function* () {
        const vault = yield* PersonalData
        for (const text of ["", "Ada Lovelace", "여보세요 👋", "x".repeat(10_000)]) {
          const sealed = yield* vault.seal(ada, text)
          expect(sealed).toStartWith("v1.ada.")
          expect(yield* vault.open(sealed)).toBe(text)
          expect(yield* (yield* another(keyOf(1))).open(sealed)).toBe(text)
        }
      }),
    ))

  test("never looks the same twice", () =>
    run(
      Effect.gen(function* () {
        const { seal } = yield* PersonalData
        expect(yield* seal(ada, "secret")).not.toBe(yield* seal(ada, "secret"))
      }),
    ))

  test("of an account that was erased can't be read, and others' still can", () =>
    run(
      Effect.gen(function* () {
        const vault = yield* PersonalData
        const [of, other] = [yield* vault.seal(ada, "Ada"), yield* vault.seal(bob, "Bob")]
        yield* vault.erase(ada)
        yield* vault.erase(ada)
        expect(yield* vault.open(of)).toBeNull()
        expect(yield* vault.open(other)).toBe("Bob")
        const again = yield* vault.seal(ada, "a new Ada")
        expect(yield* vault.open(again)).toBe("a new Ada")
        expect(yield* vault.open(of)).toBeNull()
      }),
    ))

  test("that was changed, or moved to another account, does not open", () =>
    run(
      Effect.gen(function* () {
        const vault = yield* PersonalData
        const sealed = yield* vault.seal(ada, "Ada")
        yield* vault.seal(bob, "Bob")
        const changed = sealed.slice(0, -1) + (sealed.endsWith("A") ? "Q" : "A")
        expect(yield* vault.open(Sealed.make(changed))).toBeNull()
        expect(yield* vault.open(Sealed.make(sealed.replace("v1.ada.", "v1.bob.")))).toBeNull()
      }),
    ))
})

describe("the key of an account", () => {
  test("is made once by all who need it first", () =>
    run(
      Effect.gen(function* () {
        const vaults = [yield* PersonalData, yield* another(keyOf(1)), yield* another(keyOf(1))]
        const seals = vaults.flatMap(({ seal }) => [seal(ada, "one"), seal(ada, "two")])
        const sealed = yield* Effect.all(seals, { concurrency: "unbounded" })
        const opened = yield* Effect.forEach(sealed, (yield* another(keyOf(1))).open)
        expect(opened).toEqual(["one", "two", "one", "two", "one", "two"])
      }),
    ))

  test("never lies open in the store", () =>
    run(
      Effect.gen(function* () {
        const vault = yield* PersonalData
        const sealed = yield* vault.seal(ada, "Ada")
        const wrapped = yield* (yield* ObjectStore).get("keys/ada")
        expect(wrapped.length).toBe(12 + 32 + 16)
        const failure = yield* Effect.flip((yield* another(keyOf(2))).open(sealed))
        expect(String(failure.cause)).toContain("wrapped by another REELOG_PERSONAL_DATA_KEY")
      }),
    ))
})
