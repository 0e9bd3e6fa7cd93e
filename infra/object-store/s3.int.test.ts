import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { objectStoreContract } from "./contract.ts"
import { ObjectStore } from "./port.ts"
import { presigner } from "./presign.ts"
import { s3ObjectStore } from "./s3.ts"
import { clientSettings, credentials, startNode } from "./testing.ts"

let node: Awaited<ReturnType<typeof startNode>>

beforeAll(async () => {
  node = await startNode()
}, 30_000)
afterAll(() => node.stop(), 30_000)

objectStoreContract("embedded S3", () => Layer.provide(s3ObjectStore, clientSettings(node.url)))

/** The endpoint of any S3; the rest of its settings as in production. */
const elsewhere = process.env.REELOG_TEST_S3
if (elsewhere) {
  objectStoreContract(elsewhere, () =>
    Layer.provide(
      s3ObjectStore,
      environmentLayer({ ...process.env, REELOG_S3_ENDPOINT: elsewhere }),
    ),
  )
}

describe("a pre-signed PUT", () => {
  const key = () => `sources/${crypto.randomUUID()}/00001`
  const body = new TextEncoder().encode("the first part")
  const sha256 = new Bun.CryptoHasher("sha256").update(body).digest("base64")

  const presign = (asked: Partial<Parameters<ObjectStore["Service"]["presignPut"]>[0]> = {}) =>
    Effect.runPromise(
      Effect.flatMap(ObjectStore, (store) =>
        store.presignPut({ key: key(), byteLength: body.length, expiresSeconds: 60, ...asked }),
      ).pipe(Effect.provide(Layer.provide(s3ObjectStore, clientSettings(node.url)))),
    )

  const send = (
    url: URL | string,
    headers: Record<string, string> = {},
    bytes: Uint8Array<ArrayBuffer> = body,
    method = "PUT",
  ) => fetch(url, { method, body: bytes, headers: { "if-none-match": "*", ...headers } })

  test("permits these bytes once", async () => {
    const url = await presign({ sha256 })
    const headers = { "x-amz-checksum-sha256": sha256 }
    expect((await send(url, headers)).status).toBe(200)
    expect((await send(url, headers)).status).toBe(412)
  })

  test("refuses another length before anything is stored", async () => {
    const url = await presign()
    expect((await send(url, {}, new TextEncoder().encode("longer than was agreed"))).status).toBe(
      403,
    )
    expect((await send(url)).status).toBe(200)
  })

  test("refuses other bytes of the same length when the hash is signed", async () => {
    const other = new TextEncoder().encode("the worst part")
    const url = await presign({ sha256 })
    const answer = await send(url, { "x-amz-checksum-sha256": sha256 }, other)
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining("<Code>BadDigest</Code>"),
    ])
    const forged = new Bun.CryptoHasher("sha256").update(other).digest("base64")
    expect((await send(url, { "x-amz-checksum-sha256": forged }, other)).status).toBe(403)
  })

  test("lets the store tell the hash of what came, also when none was signed", async () => {
    const name = key()
    expect((await send(await presign({ key: name }))).status).toBe(200)
    const head = await Effect.runPromise(
      Effect.flatMap(ObjectStore, (store) => store.head(name)).pipe(
        Effect.provide(Layer.provide(s3ObjectStore, clientSettings(node.url))),
      ),
    )
    expect(head.sha256).toBe(Buffer.from(sha256, "base64").toString("hex"))
  })

  test("refuses a client that would overwrite", async () => {
    const url = await presign()
    const answer = await fetch(url, { method: "PUT", body })
    expect(answer.status).toBe(403)
  })

  test("is over when it has expired", async () => {
    const presignLocally = presigner({
      publicUrl: new URL(node.url),
      region: "local",
      bucket: "reelog",
      accessKeyId: credentials.REELOG_S3_ACCESS_KEY_ID,
      secretAccessKey: credentials.REELOG_S3_SECRET_ACCESS_KEY,
      forcePathStyle: true,
    })
    const asked = { key: key(), byteLength: body.length, expiresSeconds: 60 }
    expect((await send(presignLocally(asked, Date.now() - 59_000))).status).toBe(200)
    const answer = await send(presignLocally(asked, Date.now() - 61_000))
    expect([answer.status, await answer.text()]).toEqual([
      403,
      expect.stringContaining("The request has expired"),
    ])
  })

  test("is worth nothing once any part of it was changed", async () => {
    const url = await presign({ sha256 })
    const headers = { "x-amz-checksum-sha256": sha256 }
    const changed = (change: (copy: URL) => void) => {
      const copy = new URL(url)
      change(copy)
      return copy
    }
    const parameters = Array.from(url.searchParams.keys())
    const shortened = parameters.map((name) =>
      changed(({ searchParams }) => {
        const value = searchParams.get(name) ?? ""
        const last = value.at(-1) === "1" ? "2" : "1"
        searchParams.set(name, value.slice(0, -1) + last)
      }),
    )
    const removed = parameters.map((name) =>
      changed(({ searchParams }) => searchParams.delete(name)),
    )
    const others = [
      changed((copy) => {
        copy.pathname = copy.pathname.replace(/1$/, "2")
      }),
      changed((copy) => {
        copy.pathname = copy.pathname.replace("/reelog/", "/other/")
      }),
      changed(({ searchParams }) => searchParams.append("x-amz-meta-a", "b")),
      changed(({ searchParams }) => searchParams.append("partNumber", "1")),
    ]
    for (const tampered of [...shortened, ...removed, ...others]) {
      const { status } = await send(tampered, headers)
      expect([tampered.search, status >= 400 && status <= 403]).toEqual([tampered.search, true])
    }
    expect((await send(url, headers, body, "POST")).status).toBe(403)
    expect((await fetch(url, { headers })).status).toBe(403)
    expect((await send(url, { ...headers, "x-amz-meta-a": "b" })).status).toBe(403)
    expect((await send(url, headers)).status).toBe(200)
  })
})
