import { expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { sourcePart } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { insideOver } from "./testing.ts"

const inside = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

const bytes = new Uint8Array(300).fill(7)
const damaged = new Uint8Array(300).fill(8)
const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
const reported = (hash: string) => ({ parts: [{ number: 1, etag: "*", sha256: hash }] })

test("a part that arrived damaged is refused, stays missing, and can be sent again", () =>
  inside(({ ask, create }) =>
    Effect.gen(function* () {
      const objects = yield* ObjectStore
      const id = yield* create()
      const parts = `/v1/videos/${id}/parts`
      yield* objects.put(sourcePart(id, 1), damaged)
      const refused = yield* ask("owner", parts, "POST", reported(sha256))
      expect([refused.status, refused.code]).toEqual([409, "part_hash_differs"])
      expect(JSON.parse(refused.text)).toMatchObject({ videoId: id, number: 1 })

      const { text } = yield* ask("owner", `/v1/videos/${id}/upload`)
      expect(JSON.parse(text)).toMatchObject({ state: "receiving", missingCount: 1 })
      const { existed } = yield* objects.put(sourcePart(id, 1), bytes)
      expect(existed).toBe(false)
      expect((yield* ask("owner", parts, "POST", reported(sha256))).status).toBe(200)
      const after = yield* ask("owner", `/v1/videos/${id}/upload`)
      expect(JSON.parse(after.text)).toMatchObject({ missingCount: 0 })
    }),
  ))

test("what is no hash is refused before anybody looks for the part", () =>
  inside(({ ask, create }) =>
    Effect.gen(function* () {
      const id = yield* create()
      const told = yield* ask("owner", `/v1/videos/${id}/parts`, "POST", reported("none"))
      expect([told.status, told.code]).toEqual([422, "invalid_request"])
    }),
  ))
