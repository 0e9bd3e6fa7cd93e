/**
 * Personal data under AES-256-GCM. An account's key lies in the object store, wrapped by the key in
 * `REELOG_PERSONAL_DATA_KEY`: the store alone can't read, the configuration alone has nothing to
 * read. What is sealed names its account, and that name is authenticated with it.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { Cache, Config, Effect, Exit, Layer, Redacted, Result, Schema } from "effect"
import type { AccountId } from "#domain/ids.ts"
import { accountKey } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { ObjectStore, ObjectStoreUnavailable } from "#infra/object-store/port.ts"
import { PersonalData } from "./port.ts"

/** 32 bytes in base 64. */
const WrappingKey = Schema.Redacted(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9+/]{43}=$/)))
const settings = Config.schema(WrappingKey, "REELOG_PERSONAL_DATA_KEY")

const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const MAX_KEYS = 10_000

const encrypt = (key: Uint8Array, context: string, plain: Uint8Array): Buffer => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Undefined when it was made with another key, in another context, or changed since. */
const decrypt = (key: Uint8Array, context: string, sealed: Uint8Array): Buffer | undefined => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-TAG_BYTES))
  const plain = Result.try(() =>
    Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]),
  )
  return Result.getOrElse(plain, () => undefined)
}

const headOf = (accountId: string) => `v1.${accountId}`

const wrappedByAnother = (accountId: string) =>
  new ObjectStoreUnavailable({
    cause: new Error(`${accountKey(accountId)} was wrapped by another REELOG_PERSONAL_DATA_KEY`),
  })

const open = Effect.gen(function* () {
  const wrappingKey = Buffer.from(Redacted.value(yield* settings), "base64")
  const objects = yield* ObjectStore

  const stored = Effect.fnUntraced(function* (accountId: string) {
    const wrapped = yield* objects
      .get(accountKey(accountId))
      .pipe(Effect.catchTag("ObjectNotFound", () => Effect.succeed(null)))
    if (wrapped === null) return null
    const key = decrypt(wrappingKey, accountKey(accountId), wrapped)
    if (key === undefined) return yield* wrappedByAnother(accountId)
    return key
  })

  const keys = yield* Cache.makeWith(stored, {
    capacity: MAX_KEYS,
    timeToLive: (found) => (Exit.isSuccess(found) && found.value ? "1 minute" : 0),
  })

  /** Of two that make a key at once the store lets one win; both use that one. */
  const made = Effect.fnUntraced(function* (accountId: string) {
    const wrapped = encrypt(wrappingKey, accountKey(accountId), randomBytes(KEY_BYTES))
    yield* objects.put(accountKey(accountId), wrapped)
    return yield* Cache.get(keys, accountId)
  })

  const seal = Effect.fn("PersonalData.seal")(function* (accountId: AccountId, text: string) {
    const key =
      (yield* Cache.get(keys, accountId)) ?? (yield* made(accountId)) ?? (yield* made(accountId))
    if (key === null) {
      const cause = new Error(`${accountKey(accountId)} was erased while it was made`)
      return yield* new ObjectStoreUnavailable({ cause })
    }
    const sealed = encrypt(key, headOf(accountId), Buffer.from(text))
    return Sealed.make(`${headOf(accountId)}.${sealed.toString("base64url")}`)
  })

  const unseal = Effect.fn("PersonalData.open")(function* (sealed: Sealed) {
    const [, accountId = "", text = ""] = sealed.split(".")
    const key = yield* Cache.get(keys, accountId)
    const plain = key && decrypt(key, headOf(accountId), Buffer.from(text, "base64url"))
    return plain ? plain.toString() : null
  })

  const erase = Effect.fn("PersonalData.erase")(function* (accountId: AccountId) {
    yield* objects.remove([accountKey(accountId)])
    yield* Cache.invalidate(keys, accountId)
  })

  return PersonalData.of({ seal, open: unseal, erase })
})

export const personalData = Layer.effect(PersonalData, open)
