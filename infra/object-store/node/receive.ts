/**
 * Takes a body into a file in flat memory and proves it: its length, and every hash that the client
 * gave. A plain body is handed to Bun whole, which writes it at the cost of `dd`; reading it again to hash
 * it, while the disk is flushed, costs less than seeing each piece as it comes.
 */
import { open, stat } from "node:fs/promises"
import { crc32 } from "node:zlib"
import { UNSIGNED_PAYLOAD } from "../signature.ts"
import { type Asked, header } from "./asked.ts"
import type { Permission } from "./authorize.ts"
import type { Blobs } from "./blobs.ts"
import { decodeChunks, isChunked } from "./chunked.ts"
import type { Refusal } from "./refusal.ts"

interface Taken {
  readonly byteLength: number
  /** Base64, when the client asked for it to be checked. */
  readonly sha256?: string
}

export interface Received extends Taken {
  readonly blob: string
}

/** S3's own bound for one PUT. */
export const MAX_OBJECT_BYTES = 5 * 1024 ** 3

type Checksum = "sha256" | "sha1" | "crc32" | "md5"

interface Proof {
  readonly algorithm: Checksum
  /** Base64; undefined: a trailer will tell. */
  readonly expected: string | undefined
  readonly refusal: Refusal
}

interface Running {
  readonly update: (bytes: Uint8Array) => void
  readonly base64: () => string
}

const runningCrc32 = (): Running => {
  let sum = 0
  return {
    update: (bytes) => {
      sum = crc32(bytes, sum)
    },
    base64: () => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(sum >>> 0)
      return bytes.toString("base64")
    },
  }
}

const running = (algorithm: Checksum): Running => {
  if (algorithm === "crc32") return runningCrc32()
  const hasher = new Bun.CryptoHasher(algorithm)
  return { update: (bytes) => hasher.update(bytes), base64: () => hasher.digest("base64") }
}

const CHECKSUMS = ["sha256", "sha1", "crc32"] as const
/** Checksums of S3 that the store can't compute. */
const UNKNOWN_CHECKSUMS = ["crc32c", "crc64nvme"]

const proofsOf = (asked: Asked, { payloadHash }: Permission): ReadonlyArray<Proof> => {
  const trailer = header(asked, "x-amz-trailer")
  const md5 = header(asked, "content-md5")
  const proofs: Array<Proof> = CHECKSUMS.flatMap((algorithm) => {
    const expected = header(asked, `x-amz-checksum-${algorithm}`)
    const isOwed = expected !== undefined || trailer === `x-amz-checksum-${algorithm}`
    return isOwed ? [{ algorithm, expected, refusal: "BadDigest" }] : []
  })
  if (md5 !== undefined) proofs.push({ algorithm: "md5", expected: md5, refusal: "BadDigest" })
  if (/^[0-9a-f]{64}$/.test(payloadHash)) {
    const expected = Buffer.from(payloadHash, "hex").toString("base64")
    proofs.push({ algorithm: "sha256", expected, refusal: "XAmzContentSHA256Mismatch" })
  }
  return proofs
}

const isUnknown = (asked: Asked) =>
  UNKNOWN_CHECKSUMS.some(
    (algorithm) =>
      header(asked, `x-amz-checksum-${algorithm}`) !== undefined ||
      header(asked, "x-amz-trailer") === `x-amz-checksum-${algorithm}`,
  )

/** Bytes of the object, as declared; undefined when they were not. */
const declaredLength = (asked: Asked, isCoded: boolean): number | undefined => {
  const text = asked.headers.get(isCoded ? "x-amz-decoded-content-length" : "content-length")
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** What can be said before a byte is read. */
export const refuseEarly = (asked: Asked, permission: Permission): Refusal | undefined => {
  const length = declaredLength(asked, isChunked(permission))
  if (length === undefined) return "ContentLengthRequired"
  if (length > MAX_OBJECT_BYTES) return "EntityTooLarge"
  return isUnknown(asked) ? "NotImplemented" : undefined
}

const drain = async (
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  hashes: ReadonlyArray<Running>,
  limit: number,
) => {
  const sink = Bun.file(path).writer({ highWaterMark: 1 << 20 })
  let byteLength = 0
  try {
    for await (const chunk of bytes) {
      byteLength += chunk.byteLength
      if (byteLength > limit) break
      for (const hash of hashes) hash.update(chunk)
      await sink.write(chunk)
    }
  } finally {
    await sink.end()
  }
  return byteLength
}

const hashFile = async (path: string, hashes: ReadonlyArray<Running>) => {
  const file = await open(path, "r")
  const buffer = new Uint8Array(1 << 20)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length)
    if (bytesRead === 0) break
    for (const hash of hashes) hash.update(buffer.subarray(0, bytesRead))
  }
  await file.close()
}

const provenBy = (
  proofs: ReadonlyArray<Proof>,
  sums: ReadonlyMap<Checksum, string>,
  trailers: ReadonlyMap<string, string>,
): Refusal | undefined =>
  proofs.find(({ algorithm, expected }) => {
    const told = expected ?? trailers.get(`x-amz-checksum-${algorithm}`)
    return told === undefined || sums.get(algorithm) !== told
  })?.refusal

/** Flushes what was written to the disk itself. */
export const syncFile = async (path: string) => {
  const file = await open(path, "r")
  await file.sync()
  await file.close()
}

const receiveInto = async (
  asked: Asked,
  permission: Permission,
  path: string,
): Promise<Taken | Refusal> => {
  const { body } = asked.request
  const isCoded = isChunked(permission)
  const expected = declaredLength(asked, isCoded) ?? 0
  const proofs = proofsOf(asked, permission)
  const hashes = new Map(proofs.map(({ algorithm }) => [algorithm, running(algorithm)]))
  // Nobody signed these bytes: what came is told to whoever asks for the checksum.
  if (permission.payloadHash === UNSIGNED_PAYLOAD) hashes.set("sha256", running("sha256"))

  const decoded = body && isCoded ? decodeChunks(body, permission) : undefined
  const byteLength = decoded
    ? await drain(decoded.bytes, path, Array.from(hashes.values()), expected)
    : await Bun.write(path, new Response(body))

  if (decoded?.refusal) return decoded.refusal
  const { size } = await stat(path)
  if (byteLength !== expected || size !== expected) return "IncompleteBody"
  const isUnread = !decoded && hashes.size > 0
  await Promise.all([
    syncFile(path),
    isUnread ? hashFile(path, Array.from(hashes.values())) : undefined,
  ])
  const sums = new Map(Array.from(hashes, ([algorithm, hash]) => [algorithm, hash.base64()]))
  const refusal = provenBy(proofs, sums, decoded?.trailers ?? new Map())
  if (refusal) return refusal
  const sha256 = sums.get("sha256")
  return sha256 === undefined ? { byteLength: size } : { byteLength: size, sha256 }
}

/** Takes the body into a temporary blob, ready to be kept; what is refused or torn is removed. */
export const receive = async (
  blobs: Blobs,
  asked: Asked,
  permission: Permission,
): Promise<Received | Refusal> => {
  const blob = blobs.newId()
  const received = await receiveInto(asked, permission, blobs.temp(blob)).catch(
    async (cause: unknown): Promise<Refusal> => {
      await blobs.abandon(blob)
      if (asked.request.signal.aborted) return "IncompleteBody"
      throw cause
    },
  )
  if (typeof received !== "string") return { blob, ...received }
  await blobs.abandon(blob)
  return received
}
