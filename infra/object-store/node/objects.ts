/** One object at a time: put, copy, get, head, delete, with the conditions of RFC 9110 §13. */
import type { Asked } from "./asked.ts"
import { header, parameter } from "./asked.ts"
import type { Permission } from "./authorize.ts"
import type { Blobs } from "./blobs.ts"
import type { Catalogue, ObjectRow } from "./catalogue.ts"
import { receive, refuseEarly } from "./receive.ts"
import { type Refusal, refuse } from "./refusal.ts"
import { isoTime, xml } from "./xml.ts"

export interface Store {
  readonly blobs: Blobs
  readonly catalogue: Catalogue
}

const MAX_KEY_BYTES = 1024
const KEPT_HEADERS = [
  "content-type",
  "content-disposition",
  "content-encoding",
  "content-language",
  "cache-control",
  "expires",
]

/** The headers of a PUT that a GET gives back, as JSON. */
export const keptHeaders = (headers: Headers): string => {
  const kept = Array.from(headers).filter(
    ([name]) => KEPT_HEADERS.includes(name) || name.startsWith("x-amz-meta-"),
  )
  const coded = kept.map(([name, value]) =>
    name === "content-encoding" ? [name, value.replace(/aws-chunked,?\s*/, "")] : [name, value],
  )
  return JSON.stringify(Object.fromEntries(coded.filter(([, value]) => value !== "")))
}

const etagsOf = (condition: string) => condition.split(",").map((etag) => etag.trim())

const matches = (condition: string, row: ObjectRow | null) =>
  row !== null && (condition.trim() === "*" || etagsOf(condition).includes(row.etag))

/** Whether a write may go on, seeing what is there. */
export const mayWrite = (headers: Headers, row: ObjectRow | null): Refusal | undefined => {
  const [ifMatch, ifNoneMatch] = [headers.get("if-match"), headers.get("if-none-match")]
  if (ifMatch !== null && !matches(ifMatch, row)) return row ? "PreconditionFailed" : "NoSuchKey"
  return ifNoneMatch !== null && matches(ifNoneMatch, row) ? "PreconditionFailed" : undefined
}

const keyRefusal = (key: string): Refusal | undefined =>
  Buffer.byteLength(key) > MAX_KEY_BYTES ? "KeyTooLongError" : undefined

/** An ETag with a count of parts, as S3 makes them for uploads in parts: nobody takes it for an MD5. */
export const etagOf = (blob: string, parts = 1) => `"${blob}-${parts}"`

/** The row is written only if the conditions hold at that very moment. */
export const publish = async (
  { blobs, catalogue }: Store,
  headers: Headers,
  row: ObjectRow,
): Promise<Refusal | undefined> => {
  const { refusal, replaced } = await catalogue.commit(() => {
    const present = catalogue.object(row.bucket, row.key)
    const refusal = mayWrite(headers, present)
    if (!refusal) catalogue.change.put(row)
    return { refusal, replaced: refusal ? row : present }
  })
  if (replaced) blobs.discard([replaced.blob])
  return refusal
}

export const put = async (
  store: Store,
  asked: Asked,
  permission: Permission,
): Promise<Response | Refusal> => {
  const { bucket, key, headers } = asked
  const { blobs, catalogue } = store
  const early =
    keyRefusal(key) ??
    refuseEarly(asked, permission) ??
    mayWrite(headers, catalogue.object(bucket, key))
  if (early) return early

  const received = await receive(blobs, asked, permission)
  if (typeof received === "string") return received
  const { blob, byteLength, sha256 = null } = received
  await blobs.keep(blob)
  const etag = etagOf(blob)
  const refusal = await publish(store, headers, {
    bucket,
    key,
    blob,
    byteLength,
    etag,
    lastModified: Date.now(),
    sha256,
    headers: keptHeaders(headers),
  })
  if (refusal) return refusal
  return new Response(null, {
    headers: sha256 === null ? { etag } : { etag, "x-amz-checksum-sha256": sha256 },
  })
}

/** `/bucket/key`, the key encoded. A blob never changes, so a copy is a second name for it. */
export const copy = async (store: Store, asked: Asked): Promise<Response | Refusal> => {
  const { bucket, key, headers } = asked
  const { blobs, catalogue } = store
  const [, from = ""] = /^\/?[^/]+\/(.+)$/.exec(headers.get("x-amz-copy-source") ?? "") ?? []
  const [, fromBucket = ""] = /^\/?([^/]+)\//.exec(headers.get("x-amz-copy-source") ?? "") ?? []
  if (/%(?![0-9A-Fa-f]{2})/.test(from)) return "InvalidURI"
  const source = catalogue.object(fromBucket, decodeURIComponent(from))
  if (!source) return "NoSuchKey"
  const early = keyRefusal(key) ?? mayWrite(headers, catalogue.object(bucket, key))
  if (early) return early

  const blob = blobs.newId()
  await blobs.linkAs(blob, source.blob)
  const etag = etagOf(blob)
  const lastModified = Date.now()
  const isReplaced = headers.get("x-amz-metadata-directive") === "REPLACE"
  const refusal = await publish(store, headers, {
    ...source,
    bucket,
    key,
    blob,
    etag,
    lastModified,
    headers: isReplaced ? keptHeaders(headers) : source.headers,
  })
  if (refusal) return refusal
  return xml(
    `<CopyObjectResult><ETag>${etag.replaceAll('"', "&quot;")}</ETag><LastModified>${isoTime(lastModified)}</LastModified></CopyObjectResult>`,
  )
}

/** Whole seconds, as in HTTP dates. */
const secondsOf = (millis: number) => Math.floor(millis / 1000) * 1000

/** 304, 412 or undefined: go on. */
const conditionOf = (headers: Headers, row: ObjectRow): 304 | 412 | undefined => {
  const modified = secondsOf(row.lastModified)
  const ifMatch = headers.get("if-match")
  const ifNoneMatch = headers.get("if-none-match")
  const unmodifiedSince = Date.parse(headers.get("if-unmodified-since") ?? "")
  const modifiedSince = Date.parse(headers.get("if-modified-since") ?? "")
  if (ifMatch !== null && !matches(ifMatch, row)) return 412
  if (ifMatch === null && modified > unmodifiedSince) return 412
  if (ifNoneMatch !== null) return matches(ifNoneMatch, row) ? 304 : undefined
  return modified <= modifiedSince ? 304 : undefined
}

interface Range {
  readonly from: number
  readonly to: number
}

/** A range that can't be read is ignored (RFC 9110 §14.2); several in one are answered whole, as S3 does. */
const rangeOf = (text: string | null, length: number): Range | "InvalidRange" | undefined => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(text?.trim() ?? "") ?? []
  if (first === "" && last === "") return undefined
  if (first === "") {
    const from = Math.max(0, length - Number(last))
    return from < length ? { from, to: length } : "InvalidRange"
  }
  const [from, to] = [Number(first), last === "" ? length : Math.min(length, Number(last) + 1)]
  if (last !== "" && Number(last) < from) return undefined
  return from < length ? { from, to } : "InvalidRange"
}

const OVERRIDES = ["content-type", "content-disposition", "cache-control", "content-language"]

const headersOf = (asked: Asked, row: ObjectRow): Record<string, string> => {
  const kept: Record<string, string> = JSON.parse(row.headers)
  const overridden = OVERRIDES.flatMap((name) => {
    const value = parameter(asked, `response-${name}`)
    return value === undefined ? [] : [[name, value]]
  })
  // The sum of the whole object says nothing about a range of it.
  const isWhole = !asked.headers.has("range") && row.sha256 !== null
  const isChecked = isWhole && header(asked, "x-amz-checksum-mode") === "ENABLED"
  return {
    "content-type": "binary/octet-stream",
    ...kept,
    ...Object.fromEntries(overridden),
    "accept-ranges": "bytes",
    etag: row.etag,
    "last-modified": new Date(row.lastModified).toUTCString(),
    ...(isChecked ? { "x-amz-checksum-sha256": row.sha256 ?? "" } : {}),
  }
}

export const get = ({ blobs, catalogue }: Store, asked: Asked): Response | Refusal => {
  const row = catalogue.object(asked.bucket, asked.key)
  if (!row) return "NoSuchKey"
  const condition = conditionOf(asked.headers, row)
  if (condition === 412) return "PreconditionFailed"
  if (condition === 304) return new Response(null, { status: 304, headers: { etag: row.etag } })

  const headers = headersOf(asked, row)
  const range = rangeOf(asked.headers.get("range"), row.byteLength)
  if (range === "InvalidRange") {
    const refused = refuse("InvalidRange", asked.key)
    refused.headers.set("content-range", `bytes */${row.byteLength}`)
    return refused
  }
  const { from, to } = range ?? { from: 0, to: row.byteLength }
  const all = { ...headers, "content-length": String(to - from) }
  const partial = { ...all, "content-range": `bytes ${from}-${to - 1}/${row.byteLength}` }
  const init = range ? { status: 206, headers: partial } : { status: 200, headers: all }
  if (asked.method === "HEAD") return new Response(null, init)
  const file = Bun.file(blobs.path(row.blob))
  return new Response(range ? file.slice(from, to) : file, init)
}

export const remove = async (
  { blobs, catalogue }: Store,
  bucket: string,
  keys: ReadonlyArray<string>,
): Promise<void> => {
  const removed = await catalogue.commit(() =>
    keys.flatMap((key) => {
      const row = catalogue.object(bucket, key)
      if (row) catalogue.change.remove(bucket, key)
      return row ? [row.blob] : []
    }),
  )
  blobs.discard(removed)
}
