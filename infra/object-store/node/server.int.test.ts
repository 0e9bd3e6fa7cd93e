import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3"
import { refusalOf, sdkClient, startNode } from "../testing.ts"

let node: Awaited<ReturnType<typeof startNode>>
let s3: S3Client
const Bucket = "reelog"
const MIB = 1 << 20

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

describe("a read", () => {
  test("is answered 304 or 412 by its conditions", async () => {
    const { Key, ETag } = await put("here")
    const get = (conditions: object) =>
      refusalOf(s3.send(new GetObjectCommand({ Bucket, Key, ...conditions })))
    expect(await get({ IfNoneMatch: ETag })).toStartWith("304")
    expect(await get({ IfModifiedSince: new Date(Date.now() + 60_000) })).toStartWith("304")
    expect(await get({ IfMatch: '"another"' })).toBe("412 PreconditionFailed")
    expect(await get({ IfUnmodifiedSince: new Date(0) })).toBe("412 PreconditionFailed")
    expect(await get({ IfMatch: ETag })).toBe("was allowed")
  })

  test("of a range says which bytes it gives, and 416 where there are none", async () => {
    const { Key } = await put("0123456789")
    const ranges = {
      "bytes=2-4": "234",
      "bytes=7-": "789",
      "bytes=-3": "789",
      "bytes=0-99": "0123456789",
    }
    for (const [Range, expected] of Object.entries(ranges)) {
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, Range }))
      expect([Range, await got.Body?.transformToString()]).toEqual([Range, expected])
      expect(got.ContentRange).toEndWith("/10")
    }
    const beyond = s3.send(new GetObjectCommand({ Bucket, Key, Range: "bytes=10-" }))
    expect(await refusalOf(beyond)).toBe("416 InvalidRange")
  })

  test("gives back type and metadata", async () => {
    const Key = newKey()
    const Metadata = { origin: "a camera" }
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: "x", ContentType: "video/mp4", Metadata }),
    )
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }))
    expect(head).toMatchObject({ ContentType: "video/mp4", ContentLength: 1, Metadata })
  })
})

describe("a list", () => {
  test("with a delimiter shows folders once, in pages", async () => {
    const prefix = `${newKey()}/`
    for (const name of ["a", "b/1", "b/2", "b/3", "c", "d/1", "e"]) {
      await s3.send(new PutObjectCommand({ Bucket, Key: prefix + name, Body: name }))
    }
    const seen: Array<string> = []
    let ContinuationToken: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: prefix,
          Delimiter: "/",
          MaxKeys: 2,
          ContinuationToken,
        }),
      )
      const keys = (page.Contents ?? []).map(({ Key = "" }) => Key)
      const folders = (page.CommonPrefixes ?? []).map(({ Prefix = "" }) => Prefix)
      expect(keys.length + folders.length).toBeLessThanOrEqual(2)
      seen.push(...[...keys, ...folders].sort())
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken)
    expect(seen).toEqual(["a", "b/", "c", "d/", "e"].map((name) => prefix + name))
  })
})

describe("a copy", () => {
  test("outlives what it was made from", async () => {
    const { Key } = await put("original")
    const copied = `${newKey()}/ein Stück`
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: copied,
        CopySource: `/${Bucket}/${encodeURIComponent(Key)}`,
      }),
    )
    await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    expect(await read(copied)).toBe("original")
  })
})

describe("an upload in parts", () => {
  const begin = async () => {
    const Key = newKey()
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    return { Bucket, Key, UploadId }
  }

  test("is one object once it is complete", async () => {
    const upload = await begin()
    const bodies = [Buffer.alloc(5 * MIB, "a"), Buffer.alloc(5 * MIB, "b"), Buffer.from("end")]
    const Parts = await Promise.all(
      bodies.map(async (Body, n) => {
        const part = { ...upload, PartNumber: n + 1, Body }
        const { ETag } = await s3.send(new UploadPartCommand(part))
        return { PartNumber: n + 1, ETag }
      }),
    )
    const listed = await s3.send(new ListPartsCommand(upload))
    expect(listed.Parts?.map(({ Size }) => Size)).toEqual([5 * MIB, 5 * MIB, 3])

    const complete = (MultipartUpload: object) =>
      s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }))
    const [first, , last] = Parts
    expect(await refusalOf(complete({ Parts: [last, first] }))).toBe("400 InvalidPartOrder")
    const forged = { Parts: [{ PartNumber: 1, ETag: '"forged"' }] }
    expect(await refusalOf(complete(forged))).toBe("400 InvalidPart")
    await complete({ Parts })
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: upload.Key }))
    const joined = Buffer.from((await Body?.transformToByteArray()) ?? [])
    expect(joined.equals(Buffer.concat(bodies))).toBe(true)
    expect(await refusalOf(s3.send(new ListPartsCommand(upload)))).toBe("404 NoSuchUpload")
  })

  test("that was aborted takes nothing more", async () => {
    const upload = await begin()
    await s3.send(new AbortMultipartUploadCommand(upload))
    const late = s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "late" }))
    expect(await refusalOf(late)).toBe("404 NoSuchUpload")
  })
})
