/**
 * Seals with AES-256-GCM under a key per account. An account's key lies in the object store, wrapped
 * by `REELOG_PERSONAL_DATA_KEY`; the first one written stays (`If-None-Match: *`), so two processes
 * that begin at once seal alike. The account's name is bound to each text as associated data.
 */
import { Cache, Config, Effect, Layer, Redacted, Schema } from "effect"
import type { AccountId } from "#domain/ids.ts"
import { accountKey } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { ObjectNotFound, ObjectStore } from "#infra/object-store/port.ts"
import { PersonalData } from "./port.ts"

const KEY_BYTES = 32
const NONCE_BYTES = 12
const KEYS_HELD = 10_000

const wrappingKey = Config.schema(
  Schema.String.check(Schema.isPattern(/^[A-Za-z0-9+/]{43}=$/)),
  "REELOG_PERSONAL_DATA_KEY",
).pipe(Config.map((text) => Redacted.make(Buffer.from(text, "base64"))))

const importKey = (raw: Uint8Array) =>
  Effect.promise(() =>
    crypto.subtle.importKey("raw", new Uint8Array(raw), "AES-GCM", false, ["encrypt", "decrypt"]),
  )

const named = (name: string) => new TextEncoder().encode(name)

/** Nonce, then ciphertext with its tag. */
const encrypt = (key: CryptoKey, name: string, bytes: Uint8Array) =>
  Effect.promise(async () => {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const how = { name: "AES-GCM", iv, additionalData: named(name) }
    const ciphertext = await crypto.subtle.encrypt(how, key, new Uint8Array(bytes))
    return Buffer.concat([iv, new Uint8Array(ciphertext)])
  })

/** `null`: another key, another name, or changed bytes. */
const decrypt = (key: CryptoKey, name: string, bytes: Uint8Array) =>
  Effect.promise(async () => {
    const iv = new Uint8Array(bytes.subarray(0, NONCE_BYTES))
    const how = { name: "AES-GCM", iv, additionalData: named(name) }
    const ciphertext = new Uint8Array(bytes.subarray(NONCE_BYTES))
    return crypto.subtle.decrypt(how, key, ciphertext).then(
      (plain) => new Uint8Array(plain),
      () => null,
    )
  })

export const vault = Layer.effect(
  PersonalData,
  Effect.gen(function* () {
    const objects = yield* ObjectStore
    const wrapping = yield* importKey(Redacted.value(yield* wrappingKey))

    const unwrap = Effect.fnUntraced(function* (accountId: string) {
      const key = accountKey(accountId)
      const raw = yield* decrypt(wrapping, accountId, yield* objects.get(key))
      // Wrapped by another platform's key: as good as gone.
      return yield* raw === null ? new ObjectNotFound({ key }) : importKey(raw)
    })
    const keys = yield* Cache.make({ capacity: KEYS_HELD, lookup: unwrap })

    const keyFor = (accountId: string) =>
      Cache.get(keys, accountId).pipe(
        Effect.catchTag("ObjectNotFound", () =>
          Effect.gen(function* () {
            const raw = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
            yield* objects.put(accountKey(accountId), yield* encrypt(wrapping, accountId, raw))
            yield* Cache.invalidate(keys, accountId)
            return yield* Cache.get(keys, accountId).pipe(
              Effect.catchTag("ObjectNotFound", (gone) => Effect.die(gone)),
            )
          }),
        ),
        Effect.tapError(() => Cache.invalidate(keys, accountId)),
      )

    const seal = Effect.fn("PersonalData.seal")(function* (accountId: AccountId, text: string) {
      const bytes = yield* encrypt(yield* keyFor(accountId), accountId, named(text))
      return Sealed.make(`v1.${accountId}.${bytes.toString("base64url")}`)
    })

    const open = Effect.fn("PersonalData.open")(function* (sealed: string) {
      const [, accountId = "", text = ""] = sealed.split(".")
      const key = yield* Cache.get(keys, accountId).pipe(
        Effect.tapError(() => Cache.invalidate(keys, accountId)),
        Effect.catchTag("ObjectNotFound", () => Effect.succeed(null)),
      )
      if (key === null) return null
      const plain = yield* decrypt(key, accountId, Buffer.from(text, "base64url"))
      return plain === null ? null : new TextDecoder().decode(plain)
    })

    const erase = Effect.fn("PersonalData.erase")(function* (accountId: AccountId) {
      yield* objects.remove([accountKey(accountId)])
      yield* Cache.invalidate(keys, accountId)
    })

    return PersonalData.of({ seal, open, erase })
  }),
)
