/** AWS's own examples from the S3 documentation of Signature Version 4. */
import { describe, expect, test } from "bun:test"
import { decodeChunks } from "./node/chunked.ts"
import { presigner } from "./presign.ts"
import {
  amzDate,
  encodeQuery,
  millisOf,
  signatureOf,
  signingKey,
  UNSIGNED_PAYLOAD,
} from "./signature.ts"

const scope = { day: "20130524", region: "us-east-1" }
const date = "20130524T000000Z"
const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
const key = signingKey(secret, scope)

test("a URL is signed as AWS does it", () => {
  const signature = signatureOf(key, scope, date, {
    method: "GET",
    path: "/test.txt",
    query: encodeQuery([
      ["X-Amz-SignedHeaders", "host"],
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"],
      ["X-Amz-Date", date],
      ["X-Amz-Expires", "86400"],
    ]),
    headers: [["host", "examplebucket.s3.amazonaws.com"]],
    payloadHash: UNSIGNED_PAYLOAD,
  })
  expect(signature).toBe("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
})

test("times go both ways", () => {
  expect(amzDate(millisOf(date))).toBe(date)
  expect(millisOf("2013-05-24")).toBeNaN()
  expect(millisOf("yesterday")).toBeNaN()
})

describe("a pre-signer", () => {
  const presign = presigner({
    publicUrl: new URL("https://media.example/s3/"),
    region: "eu-central-1",
    bucket: "reelog",
    accessKeyId: "key",
    secretAccessKey: secret,
    forcePathStyle: true,
  })
  const asked = { key: "sources/a b/00001", byteLength: 5, expiresSeconds: 60 }

  test("signs length, condition and hash on the public address", () => {
    const url = presign({ ...asked, sha256: "hash" }, millisOf(date))
    expect(`${url.origin}${url.pathname}`).toBe(
      "https://media.example/s3/reelog/sources/a%20b/00001",
    )
    expect(url.searchParams.get("X-Amz-SignedHeaders")).toBe(
      "content-length;host;if-none-match;x-amz-checksum-sha256",
    )
  })

  test("takes a new key on a new day", () => {
    const [today, tomorrow] = [
      presign(asked, millisOf(date)),
      presign(asked, millisOf("20130525T000000Z")),
    ]
    expect(today.searchParams.get("X-Amz-Credential")).toContain("/20130524/")
    expect(tomorrow.searchParams.get("X-Amz-Credential")).toContain("/20130525/")
    expect(presign(asked, millisOf(date)).href).toBe(today.href)
  })
})

describe("a body in signed chunks", () => {
  const permission = {
    payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    date,
    scope,
    key,
    signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  }
  const chunks = [
    ["a".repeat(65_536), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"],
    ["a".repeat(1_024), "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"],
    ["", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"],
  ] as const
  const coded = chunks
    .map(
      ([text, signature]) =>
        `${text.length.toString(16)};chunk-signature=${signature}\r\n${text}\r\n`,
    )
    .join("")

  /** In pieces that fit no chunk. */
  const decode = async (body: string) => {
    const bytes = new TextEncoder().encode(body)
    const pieces = Array.from({ length: Math.ceil(bytes.length / 999) }, (_, n) =>
      bytes.subarray(n * 999, (n + 1) * 999),
    )
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const piece of pieces) controller.enqueue(piece)
        controller.close()
      },
    })
    const decoded = decodeChunks(stream, permission)
    let length = 0
    for await (const chunk of decoded.bytes) length += chunk.length
    return { length, refusal: decoded.refusal }
  }

  test("is decoded when every signature continues the one before", async () => {
    expect(await decode(coded)).toEqual({ length: 66_560, refusal: undefined })
  })

  test("is refused at the first chunk that was changed, and when its end is missing", async () => {
    const changed = coded.replace(/a(?=\r\n400;)/, "b")
    expect(await decode(changed)).toEqual({ length: 0, refusal: "InvalidChunk" })
    const cut = coded.slice(0, coded.indexOf("\r\n0;") + 2)
    expect(await decode(cut)).toEqual({ length: 66_560, refusal: "IncompleteBody" })
  })
})
