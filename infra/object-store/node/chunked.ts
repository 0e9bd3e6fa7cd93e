/**
 * Bodies in `aws-chunked` coding: each chunk has its own header line, optionally with a signature
 * that continues the request's, and trailers may follow the last one.
 */
import { hmacHex, scopeOf, sha256Hex } from "../signature.ts"
import type { Permission } from "./authorize.ts"
import type { Refusal } from "./refusal.ts"

const STREAMING = "STREAMING-"
const SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
/** A chunk is held until its signature is known; clients send 64 KiB to 1 MiB. */
const MAX_CHUNK = 16 << 20
const MAX_LINE = 8 << 10

export const isChunked = ({ payloadHash }: Permission) => payloadHash.startsWith(STREAMING)

export interface Decoded {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Filled once the bytes have been read to their end. */
  readonly trailers: Map<string, string>
  refusal: Refusal | undefined
}

const EMPTY_HASH = sha256Hex("")

const chunkSigner = ({ payloadHash, date, scope, key, signature }: Permission) => {
  let previous = signature
  const isSigned = payloadHash.startsWith(SIGNED)
  const next = (kind: string, rest: string) => {
    previous = hmacHex(key, `${kind}\n${date}\n${scopeOf(scope)}\n${previous}\n${rest}`)
    return previous
  }
  return {
    agrees: (given: string | undefined, chunk: Uint8Array) =>
      !isSigned || given === next("AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_HASH}\n${sha256Hex(chunk)}`),
    agreesTrailer: (given: string | undefined, trailer: string) =>
      !isSigned || given === next("AWS4-HMAC-SHA256-TRAILER", sha256Hex(trailer)),
  }
}

/** Takes lines and exact counts of bytes from a stream. */
const taker = (body: AsyncIterable<Uint8Array>) => {
  const source = body[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  const more = async () => {
    const { value, done } = await source.next()
    if (done) return false
    held = held.length === 0 ? Buffer.from(value) : Buffer.concat([held, value])
    return true
  }
  const take = (length: number) => {
    const taken = held.subarray(0, length)
    held = held.subarray(length)
    return taken
  }
  return {
    line: async (): Promise<string | undefined> => {
      for (;;) {
        const end = held.indexOf("\r\n")
        if (end >= 0) return take(end + 2).toString("latin1", 0, end)
        if (held.length > MAX_LINE || !(await more())) return undefined
      }
    },
    bytes: async (length: number): Promise<Uint8Array | undefined> => {
      while (held.length < length) if (!(await more())) return undefined
      return take(length)
    },
  }
}

/** `1000;chunk-signature=ab…` */
const CHUNK_HEADER = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/

export const decodeChunks = (body: AsyncIterable<Uint8Array>, permission: Permission): Decoded => {
  const input = taker(body)
  const signer = chunkSigner(permission)
  const trailers = new Map<string, string>()

  const readTrailers = async (): Promise<Refusal | undefined> => {
    let text = ""
    for (;;) {
      const line = await input.line()
      if (!line) break
      const colon = line.indexOf(":")
      const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      trailers.set(name, value)
      if (name !== "x-amz-trailer-signature") text += `${name}:${value}\n`
    }
    if (!permission.payloadHash.endsWith("-TRAILER")) return undefined
    const isGenuine = signer.agreesTrailer(trailers.get("x-amz-trailer-signature"), text)
    return isGenuine ? undefined : "InvalidChunk"
  }

  const decoded: Decoded = {
    trailers,
    refusal: undefined,
    bytes: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const [, size, given] = CHUNK_HEADER.exec((await input.line()) ?? "") ?? []
          const length = Number.parseInt(size ?? "", 16)
          const chunk = length <= MAX_CHUNK ? await input.bytes(length) : undefined
          decoded.refusal = chunk ? undefined : "IncompleteBody"
          if (chunk && !signer.agrees(given, chunk)) decoded.refusal = "InvalidChunk"
          if (!chunk || decoded.refusal) return
          if (length === 0) {
            decoded.refusal = await readTrailers()
            return
          }
          yield chunk
          await input.line()
        }
      },
    },
  }
  return decoded
}
