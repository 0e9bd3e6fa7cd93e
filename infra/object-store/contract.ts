/** What every object store adapter must do, whatever lies behind it. */
import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Layer, ManagedRuntime, Stream } from "effect"
import { ObjectNotFound, ObjectStore } from "./port.ts"

/** A thousand objects fill a page; a slow disk takes its time for them. */
const LONG_MILLIS = 60_000

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (read: Uint8Array) => new TextDecoder().decode(read)

export const objectStoreContract = <E>(name: string, layer: () => Layer.Layer<ObjectStore, E>) => {
  let runtime: ManagedRuntime.ManagedRuntime<ObjectStore, E> | undefined
  const run = <A, F>(effect: Effect.Effect<A, F, ObjectStore>) => {
    runtime ??= ManagedRuntime.make(layer())
    return runtime.runPromise(effect)
  }
  /** Each test has a folder of its own: the store may be one that others use. */
  const folder = () => `contract/${crypto.randomUUID()}`

  describe(`${name} object store`, () => {
    afterAll(() => runtime?.dispose())

    test("gives back what was put, whole and by range", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/a name with spaces, ümläuts & 100%+=~!*'()`
          const { existed, etag } = yield* store.put(key, bytes("0123456789"))
          expect(existed).toBe(false)
          expect(text(yield* store.get(key))).toBe("0123456789")
          expect(text(yield* store.get(key, { from: 2, to: 5 }))).toBe("234")
          expect(text(yield* store.get(key, { from: 8, to: 99 }))).toBe("89")
          expect(text(yield* store.get(key, { from: 4, to: 4 }))).toBe("")
          const head = yield* store.head(key)
          expect(head).toMatchObject({ key, byteLength: 10, etag })
        }),
      ))

    test("keeps the first object under a key, unless told to overwrite", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/once`
          const first = yield* store.put(key, bytes("first"))
          expect(yield* store.put(key, bytes("second"))).toEqual({ ...first, existed: true })
          expect(text(yield* store.get(key))).toBe("first")
          yield* store.put(key, bytes("third"), { overwrite: true })
          expect(text(yield* store.get(key))).toBe("third")
        }),
      ))

    test("lets one of many rivals win", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/contested`
          const rivals = Array.from({ length: 12 }, (_, n) => store.put(key, bytes(`rival ${n}`)))
          const results = yield* Effect.all(rivals, { concurrency: "unbounded" })
          const winner = results.findIndex(({ existed }) => !existed)
          expect(results.filter(({ existed }) => !existed).length).toBe(1)
          expect(new Set(results.map(({ etag }) => etag)).size).toBe(1)
          expect(text(yield* store.get(key))).toBe(`rival ${winner}`)
        }),
      ))

    test("takes a file and streams it back byte for byte", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const scratch = mkdtempSync(join(tmpdir(), "reelog-objects-"))
          const file = join(scratch, "source")
          const key = `${folder()}/large`
          const written = crypto.getRandomValues(new Uint8Array(65_536))
          const large = Buffer.concat(Array.from({ length: 48 }, () => written))
          yield* Effect.promise(() => Bun.write(file, large))
          yield* store.put(key, { file }, { contentType: "video/mp4" })
          const chunks = yield* Stream.runCollect(store.stream(key))
          expect(Buffer.concat(chunks).equals(large)).toBe(true)
          const part = yield* Stream.runCollect(
            store.stream(key, { from: 1_000_000, to: 1_000_010 }),
          )
          expect(Buffer.concat(part)).toEqual(large.subarray(1_000_000, 1_000_010))
          rmSync(scratch, { recursive: true })
        }),
      ))

    test("takes an object of no bytes", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/empty`
          yield* store.put(key, new Uint8Array())
          expect((yield* store.head(key)).byteLength).toBe(0)
          expect((yield* store.get(key)).byteLength).toBe(0)
        }),
      ))

    test("says which object is not there", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/nothing`
          const missing = new ObjectNotFound({ key })
          expect(yield* Effect.flip(store.get(key))).toEqual(missing)
          expect(yield* Effect.flip(store.head(key))).toEqual(missing)
          expect(yield* Effect.flip(Stream.runCollect(store.stream(key)))).toEqual(missing)
        }),
      ))

    test(
      "lists a prefix in key order, across pages",
      () =>
        run(
          Effect.gen(function* () {
            const store = yield* ObjectStore
            const prefix = `${folder()}/`
            const keys = Array.from(
              { length: 1_005 },
              (_, n) => `${prefix}${String(n).padStart(5, "0")}`,
            )
            const puts = keys.map((key) => store.put(key, bytes(key)))
            yield* Effect.all(puts, { concurrency: 16, discard: true })
            yield* store.put(`${prefix.slice(0, -1)}-neighbour`, bytes("of another prefix"))
            const listed = yield* Stream.runCollect(store.list(prefix))
            expect(listed.map(({ key }) => key)).toEqual(keys)
            yield* store.remove(keys)
            expect(yield* Stream.runCollect(store.list(prefix))).toEqual([])
          }),
        ),
      LONG_MILLIS,
    )

    test("removes what is there and does not mind what is not", () =>
      run(
        Effect.gen(function* () {
          const store = yield* ObjectStore
          const key = `${folder()}/<a&b> "c"`
          yield* store.put(key, bytes("x"))
          yield* store.remove([key, `${folder()}/never was`])
          expect((yield* Effect.flip(store.head(key)))._tag).toBe("ObjectNotFound")
          yield* store.remove([])
        }),
      ))
  })
}
