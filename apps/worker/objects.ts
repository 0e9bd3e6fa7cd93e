/** How stages keep their results: written once under names that the task decides; who comes second takes what lies there. */
import { Effect, Schema } from "effect"
import { ObjectStore } from "#infra/object-store/port.ts"

/** A result too large for the log. */
export const ObjectRef = Schema.Struct({
  key: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.String,
})
export type ObjectRef = typeof ObjectRef.Type

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex")

/** The bytes that lie under the key in the end: ours, or those of whoever came first. */
export const keep = Effect.fnUntraced(function* (
  key: string,
  bytes: Uint8Array,
  contentType = "application/json",
) {
  const objects = yield* ObjectStore
  const { existed } = yield* objects.put(key, bytes, { contentType })
  return existed ? yield* objects.get(key) : bytes
})

export const keepRef = Effect.fnUntraced(function* (
  key: string,
  bytes: Uint8Array,
  contentType?: string,
) {
  const kept = yield* keep(key, bytes, contentType)
  return { key, bytes: kept.length, sha256: sha256(kept) } satisfies ObjectRef
})

/** Like `keep`, for media: only the length of what lies there is asked for. */
export const keepMedia = Effect.fnUntraced(function* (
  key: string,
  bytes: Uint8Array,
  contentType: string,
) {
  const objects = yield* ObjectStore
  const { existed } = yield* objects.put(key, bytes, { contentType })
  return existed ? (yield* objects.head(key)).byteLength : bytes.length
})

export const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
