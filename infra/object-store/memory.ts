/** The object store in the memory of one process, for tests. Its pre-signed URLs lead nowhere. */
import { Clock, Effect, Layer, Stream } from "effect"
import {
  type ByteRange,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type PutOptions,
  type StoredObject,
} from "./port.ts"
import { presigner } from "./presign.ts"

interface Held extends StoredObject {
  readonly bytes: Uint8Array
}

const presign = presigner({
  publicUrl: new URL("http://memory.invalid"),
  region: "local",
  bucket: "reelog",
  accessKeyId: "memory",
  secretAccessKey: "memory",
  forcePathStyle: true,
})

const bytesOf = (body: Uint8Array | { readonly file: string }) =>
  body instanceof Uint8Array
    ? Effect.succeed(body.slice())
    : Effect.tryPromise({
        try: () => Bun.file(body.file).bytes(),
        catch: (cause) => new ObjectStoreUnavailable({ cause }),
      })

/** As S3 orders them: by the bytes of their UTF-8. */
const byKey = (one: StoredObject, other: StoredObject) =>
  Buffer.compare(Buffer.from(one.key), Buffer.from(other.key))

const open = Effect.sync(() => {
  const objects = new Map<string, Held>()
  let writes = 0

  const find = (key: string) =>
    Effect.suspend(() => {
      const held = objects.get(key)
      return held ? Effect.succeed(held) : Effect.fail(new ObjectNotFound({ key }))
    })

  const put = Effect.fn("ObjectStore.put")(function* (
    key: string,
    body: Uint8Array | { readonly file: string },
    options: PutOptions = {},
  ) {
    const bytes = yield* bytesOf(body)
    const lastModified = yield* Clock.currentTimeMillis
    const present = objects.get(key)
    if (present && !options.overwrite) return { existed: true, etag: present.etag }
    writes += 1
    const etag = `"${writes}"`
    objects.set(key, { key, bytes, byteLength: bytes.byteLength, etag, lastModified })
    return { existed: false, etag }
  })

  /** A range that begins behind the end can't be had; S3 answers it with 416. */
  const cut = ({ key, bytes }: Held, range: ByteRange | undefined) => {
    if (range === undefined || range.to <= range.from) {
      return Effect.succeed(range === undefined ? bytes.slice() : new Uint8Array())
    }
    return range.from < bytes.byteLength
      ? Effect.succeed(bytes.slice(range.from, range.to))
      : Effect.fail(new ObjectStoreUnavailable({ cause: `${key} has no byte ${range.from}` }))
  }

  const get = (key: string, range?: ByteRange) =>
    Effect.flatMap(find(key), (held) => cut(held, range))

  return ObjectStore.of({
    put,
    get,
    stream: (key, range) => Stream.fromEffect(get(key, range)),
    head: (key) =>
      Effect.map(find(key), ({ bytes, ...object }) => {
        const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
        return { ...object, sha256 }
      }),
    list: (prefix) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          Array.from(objects.values(), ({ bytes: _, ...object }) => object)
            .filter(({ key }) => key.startsWith(prefix))
            .sort(byKey),
        ),
      ),
    remove: (keys) =>
      Effect.sync(() => {
        for (const key of keys) objects.delete(key)
      }),
    presignPut: (asked) => Effect.map(Clock.currentTimeMillis, (now) => presign(asked, now)),
  })
})

export const memoryObjectStore = Layer.effect(ObjectStore, open)
