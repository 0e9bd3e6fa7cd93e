import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { Readable } from "node:stream"
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3"
import { credentials, refusalOf, sdkClient, startNode } from "../testing.ts"

let node: Awaited<ReturnType<typeof startNode>>
let s3: S3Client
const Bucket = "reelog"

beforeAll(async () => {
  node = await startNode()
  s3 = sdkClient(node.url)
}, 30_000)
afterAll(async () => {
  s3.destroy()
  expect(await node.stop()).toBe(0)
}, 30_000)

const newKey = () => `node/${crypto.randomUUID()}`
const put = async (text: string) => {
  const Key = newKey()
  const { ETag = "" } = await s3.send(new PutObjectCommand({ Bucket, Key, Body: text }))
  return { Key, ETag }
}
const read = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Body?.transformToString()
}

describe("a signature", () => {
  test("by another secret is refused", async () => {
    const stranger = sdkClient(node.url, {
      credentials: { accessKeyId: credentials.REELOG_S3_ACCESS_KEY_ID, secretAccessKey: "guessed" },
    })
    const sent = stranger.send(new PutObjectCommand({ Bucket, Key: newKey(), Body: "x" }))
    expect(await refusalOf(sent)).toBe("403 SignatureDoesNotMatch")
    stranger.destroy()
  })

  test("made a day ago is refused", async () => {
    const late = sdkClient(node.url, {
      systemClockOffset: -24 * 3_600_000,
    })
    const sent = late.send(new HeadObjectCommand({ Bucket, Key: newKey() }))
    expect(await refusalOf(sent)).toStartWith("403")
    late.destroy()
  })

  test("that is missing is refused", async () => {
    const { Key } = await put("secret")
    expect((await fetch(`${node.url}/${Bucket}/${Key}`)).status).toBe(403)
    expect((await fetch(`${node.url}/${Bucket}?list-type=2`)).status).toBe(403)
  })

  test("over other bytes is refused", async () => {
    const Key = newKey()
    const tampering = sdkClient(node.url, { requestChecksumCalculation: "WHEN_REQUIRED" })
    tampering.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.request as object, { body: Buffer.from("evil") })
        return next(args)
      },
      { step: "finalizeRequest", priority: "low" },
    )
    const sent = tampering.send(new PutObjectCommand({ Bucket, Key, Body: "good" }))
    expect(await refusalOf(sent)).toBe("400 XAmzContentSHA256Mismatch")
    expect(await refusalOf(s3.send(new HeadObjectCommand({ Bucket, Key })))).toStartWith("404")
    tampering.destroy()
  })
})

describe("a streamed body with a trailing checksum", () => {
  test("is decoded and checked", async () => {
    const Key = newKey()
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    const Body = new Blob(Array.from({ length: 20 }, () => bytes)).stream()
    const algorithm = { ChecksumAlgorithm: "SHA256" } as const
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: Readable.fromWeb(Body as never),
        ContentLength: 1_200_000,
        ...algorithm,
      }),
    )
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }))
    const all = Buffer.concat(Array.from({ length: 20 }, () => bytes))
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(all)).toBe(true)
    expect(got.ChecksumSHA256).toBe(new Bun.CryptoHasher("sha256").update(all).digest("base64"))
  })
})

describe("a page of another origin", () => {
  const preflight = (origin: string) =>
    fetch(`${node.url}/${Bucket}/sources/x`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "PUT",
        "access-control-request-headers": "if-none-match,x-amz-checksum-sha256",
      },
    })

  test("may put and read the ETag when it is one of ours", async () => {
    const { status, headers } = await preflight("http://pages.test")
    expect(status).toBe(204)
    expect(headers.get("access-control-allow-origin")).toBe("http://pages.test")
    expect(headers.get("access-control-allow-headers")).toContain("x-amz-checksum-sha256")
    const refused = await fetch(`${node.url}/${Bucket}/x`, {
      headers: { origin: "http://pages.test" },
    })
    expect(refused.status).toBe(403)
    expect(refused.headers.get("access-control-allow-origin")).toBe("http://pages.test")
    expect(refused.headers.get("access-control-expose-headers")).toContain("ETag")
  })

  test("may not when it is a stranger's", async () => {
    const { status, headers } = await preflight("http://elsewhere.test")
    expect([status, headers.get("access-control-allow-origin")]).toEqual([403, null])
  })
})

describe("a request the store can't serve", () => {
  test("is refused by name, never taken for another", async () => {
    const { Key } = await put("x")
    const signed = (query: string) => {
      const asking = sdkClient(node.url)
      asking.middlewareStack.add(
        (next) => (args) => {
          Object.assign((args.request as { query: object }).query, { [query]: "" })
          return next(args)
        },
        { step: "build" },
      )
      return refusalOf(asking.send(new PutObjectCommand({ Bucket, Key, Body: "acl" })))
    }
    expect(await signed("acl")).toBe("501 NotImplemented")
    expect(await read(Key)).toBe("x")
    const elsewhere = s3.send(new GetObjectCommand({ Bucket: "other", Key }))
    expect(await refusalOf(elsewhere)).toBe("404 NoSuchBucket")
    const long = s3.send(new PutObjectCommand({ Bucket, Key: "k".repeat(1025), Body: "x" }))
    expect(await refusalOf(long)).toBe("400 KeyTooLongError")
  })
})
