/**
 * Objects on disk, bounded, least recently used out first. An object never changes under its key,
 * so a file is named by the hash of the key and needs no other proof; a file without its last byte
 * has another name. When the disk can't be written, the object is passed on from memory.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { open, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { Deferred, Effect, Schema, Semaphore, Stream } from "effect"
import {
  type ObjectNotFound,
  ObjectStore,
  type ObjectStoreUnavailable,
} from "#infra/object-store/port.ts"

export interface DiskCacheOptions {
  readonly directory: string
  readonly maxBytes: number
  readonly maxFetching: number
}

export interface Cached {
  readonly body: Blob | Uint8Array<ArrayBuffer>
  readonly byteLength: number
  readonly etag: string
}

type Failure = ObjectNotFound | ObjectStoreUnavailable

class CacheUnwritable extends Schema.TaggedError<CacheUnwritable>()("CacheUnwritable", {
  cause: Schema.Defect(),
}) {}

/** A response opens its file after we have answered: what is put out stays readable that long. */
const FAREWELL = "10 seconds"

const nameOf = (key: string) => new Bun.CryptoHasher("sha256").update(key).digest("hex")
const isWhole = (name: string) => /^[0-9a-f]{64}$/.test(name)

/** What an earlier process left, oldest use first; halves are removed. */
const inventory = (directory: string): ReadonlyArray<readonly [string, number]> => {
  mkdirSync(directory, { recursive: true })
  const names = readdirSync(directory)
  for (const name of names) if (name.endsWith(".part")) rmSync(join(directory, name))
  return names
    .filter(isWhole)
    .map((name) => ({ name, ...statSync(join(directory, name)) }))
    .sort((one, other) => one.mtimeMs - other.mtimeMs)
    .map(({ name, size }) => [name, size] as const)
}

export const diskCache = Effect.fn("diskCache")(function* (options: DiskCacheOptions) {
  const { directory, maxBytes } = options
  const objects = yield* ObjectStore
  const scope = yield* Effect.scope
  const fetching = new Map<string, Deferred.Deferred<Cached, Failure>>()
  const fetchPermits = Semaphore.makeUnsafe(options.maxFetching)
  const counts = { hits: 0, misses: 0, bytes: 0, parts: 0 }
  const files = new Map(yield* Effect.sync(() => inventory(directory)))
  for (const byteLength of files.values()) counts.bytes += byteLength

  const pathOf = (name: string) => join(directory, name)
  const cached = (name: string, byteLength: number): Cached => ({
    body: Bun.file(pathOf(name)),
    byteLength,
    etag: `"${name.slice(0, 32)}"`,
  })

  const remove = (name: string) =>
    Effect.sleep(FAREWELL).pipe(
      Effect.andThen(
        // It may have come back meanwhile.
        Effect.suspend(() =>
          files.has(name) ? Effect.void : Effect.promise(() => rm(pathOf(name), { force: true })),
        ),
      ),
    )

  const makeRoom = Effect.fnUntraced(function* () {
    while (counts.bytes > maxBytes) {
      const [oldest] = files
      if (oldest === undefined) return
      const [name, byteLength] = oldest
      files.delete(name)
      counts.bytes -= byteLength
      yield* Effect.forkIn(remove(name), scope)
    }
  })

  const onDisk = <A>(write: () => Promise<A>) =>
    Effect.tryPromise({ try: write, catch: (cause) => new CacheUnwritable({ cause }) })

  const download = Effect.fnUntraced(function* (key: string, part: string) {
    const file = yield* Effect.acquireRelease(
      onDisk(() => open(part, "wx")),
      (handle) => Effect.promise(() => handle.close()),
    )
    let byteLength = 0
    yield* Stream.runForEach(objects.stream(key), (bytes) => {
      byteLength += bytes.byteLength
      return onDisk(() => file.writeFile(bytes))
    })
    return byteLength
  }, Effect.scoped)

  const fetchToDisk = Effect.fnUntraced(function* (key: string, name: string) {
    const part = `${pathOf(name)}.${counts.parts++}.part`
    const byteLength = yield* download(key, part).pipe(
      Effect.tap(() => onDisk(() => rename(part, pathOf(name)))),
      Effect.onError(() => Effect.promise(() => rm(part, { force: true }))),
    )
    files.set(name, byteLength)
    counts.bytes += byteLength
    yield* makeRoom()
    return cached(name, byteLength)
  })

  const fetch = (key: string, name: string): Effect.Effect<Cached, Failure> =>
    fetchToDisk(key, name).pipe(
      Effect.catchTag("CacheUnwritable", ({ cause }) =>
        Effect.gen(function* () {
          yield* Effect.logWarning("the cache can't be written", cause)
          const body = new Uint8Array(yield* objects.get(key))
          return { ...cached(name, body.byteLength), body }
        }),
      ),
      fetchPermits.withPermit,
    )

  /** What is here, without asking anyone. */
  const peek = (key: string): Cached | undefined => {
    const name = nameOf(key)
    const byteLength = files.get(name)
    if (byteLength === undefined) return undefined
    files.delete(name)
    files.set(name, byteLength)
    counts.hits += 1
    return cached(name, byteLength)
  }

  const find = Effect.fn("findObject")(function* (key: string) {
    const here = peek(key)
    if (here !== undefined) return here
    const name = nameOf(key)
    const already = fetching.get(name)
    if (already !== undefined) return yield* Deferred.await(already)
    counts.misses += 1
    const done = Deferred.makeUnsafe<Cached, Failure>()
    fetching.set(name, done)
    // Not a child of this request: others wait for the same, and this one may hang up.
    const finish = Effect.exit(fetch(key, name)).pipe(
      Effect.flatMap((exit) => {
        fetching.delete(name)
        return Deferred.done(done, exit)
      }),
    )
    yield* Effect.forkIn(finish, scope)
    return yield* Deferred.await(done)
  })

  return { peek, find, counts: () => counts }
})

export type DiskCache = Effect.Success<ReturnType<typeof diskCache>>
