import { describe, expect, test } from "bun:test"
import { readdirSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { presigner } from "../presign.ts"
import { credentials, newFolder, refusalOf, sdkClient, startNode, startNodeOn } from "../testing.ts"

const Bucket = "reelog"
const MIB = 1 << 20

const presignerOf = (url: string) =>
  presigner({
    publicUrl: new URL(url),
    region: "local",
    bucket: Bucket,
    accessKeyId: credentials.REELOG_S3_ACCESS_KEY_ID,
    secretAccessKey: credentials.REELOG_S3_SECRET_ACCESS_KEY,
    forcePathStyle: true,
  })

const blobsIn = (folder: string) =>
  readdirSync(join(folder, "blobs")).flatMap((name) => readdirSync(join(folder, "blobs", name)))

const residentBytes = (pid: number, field: "VmRSS" | "VmHWM") => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
}

/** Sends the head of a PUT and some of its body, and no more. */
const beginPut = (url: URL, byteLength: number, sent: Uint8Array) => {
  const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof connect>>()
  const socket = connect(Number(url.port), url.hostname, () => {
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nIf-None-Match: *\r\nContent-Length: ${byteLength}\r\n\r\n`,
    )
    socket.write(sent, () => resolve(socket))
  })
  socket.on("error", reject)
  return promise
}

/** Waits for something the node does by itself; the test's own bound ends a wait in vain. */
const until = async (holds: () => boolean) => {
  while (!holds()) await Bun.sleep(20)
}

describe("a node that was killed", () => {
  test("has every object it acknowledged, and nothing of the others", async () => {
    const folder = newFolder()
    const first = await startNodeOn(folder)
    const s3 = sdkClient(first.url)
    const acknowledged: Array<string> = []
    const keys = Array.from({ length: 400 }, (_, n) => `objects/${n}`)
    const puts = keys.map((Key) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body: Key.repeat(1000) })).then(
        () => acknowledged.push(Key),
        () => undefined,
      ),
    )
    const torn = presignerOf(first.url)(
      { key: "torn", byteLength: MIB, expiresSeconds: 60 },
      Date.now(),
    )
    const socket = await beginPut(torn, MIB, new Uint8Array(MIB / 2))
    socket.on("error", () => undefined)
    await until(() => acknowledged.length > 50 && readdirSync(join(folder, "temp")).length > 0)
    await first.kill("SIGKILL")
    await Promise.all(puts)
    socket.destroy()
    s3.destroy()

    const second = await startNodeOn(folder)
    const again = sdkClient(second.url)
    expect(readdirSync(join(folder, "temp"))).toEqual([])
    for (const Key of acknowledged) {
      const { Body } = await again.send(new GetObjectCommand({ Bucket, Key }))
      expect(await Body?.transformToString()).toBe(Key.repeat(1000))
    }
    const head = again.send(new HeadObjectCommand({ Bucket, Key: "torn" }))
    expect(await refusalOf(head)).toStartWith("404")
    let present = 0
    for (const Key of keys) {
      const refusal = await refusalOf(again.send(new HeadObjectCommand({ Bucket, Key })))
      if (refusal === "was allowed") present += 1
    }
    await until(() => blobsIn(folder).length === present)
    again.destroy()
    expect(await second.kill("SIGTERM")).toBe(0)
    rmSync(folder, { recursive: true })
  }, 60_000)

  test("is not replaced while it still runs", async () => {
    const node = await startNode()
    const rival = startNodeOn(node.folder).then(
      () => "started",
      () => "refused",
    )
    expect(await rival).toBe("refused")
    await node.stop()
  }, 30_000)
})

describe("a body", () => {
  test("whose client goes away leaves no file", async () => {
    const node = await startNode()
    const asked = { key: "gone", byteLength: MIB, expiresSeconds: 60 }
    const url = presignerOf(node.url)(asked, Date.now())
    const socket = await beginPut(url, MIB, new Uint8Array(MIB / 2))
    await until(() => readdirSync(join(node.folder, "temp")).length === 1)
    socket.destroy()
    await until(() => readdirSync(join(node.folder, "temp")).length === 0)
    expect(blobsIn(node.folder)).toEqual([])
    await node.stop()
  }, 30_000)

  test("passes through in flat memory, with and without a hash", async () => {
    const node = await startNode()
    const presign = presignerOf(node.url)
    const body = new Uint8Array(64 * MIB).fill(7)
    const sha256 = new Bun.CryptoHasher("sha256").update(body).digest("base64")
    const idle = residentBytes(node.pid, "VmRSS")
    const put = async (n: number) => {
      const asked = { key: `large/${n}`, byteLength: body.length, expiresSeconds: 60 }
      const isHashed = n % 2 === 0
      const url = presign(isHashed ? { ...asked, sha256 } : asked, Date.now())
      const headers = {
        "if-none-match": "*",
        ...(isHashed ? { "x-amz-checksum-sha256": sha256 } : {}),
      }
      const { status } = await fetch(url, { method: "PUT", body, headers })
      expect(status).toBe(200)
    }
    for (let n = 0; n < 8; n += 4) await Promise.all([put(n), put(n + 1), put(n + 2), put(n + 3)])
    const grown = residentBytes(node.pid, "VmHWM") - idle
    expect(grown).toBeLessThan(96 * MIB)
    await node.stop()
  }, 60_000)
})
