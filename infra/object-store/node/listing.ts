/** ListObjectsV2, and DeleteObjects, its counterpart for many keys. */
import { type Asked, isAskedFor, parameter, urlEncoded } from "./asked.ts"
import { type Catalogue, LAST, type ObjectRow } from "./catalogue.ts"
import { remove, type Store } from "./objects.ts"
import type { Refusal } from "./refusal.ts"
import { element, elements, escapeXml, isoTime, xml } from "./xml.ts"

const MAX_KEYS = 1000

interface Page {
  readonly objects: ReadonlyArray<ObjectRow>
  readonly prefixes: ReadonlyArray<string>
  /** The last key or prefix shown; undefined when nothing follows. */
  readonly next: string | undefined
}

const commonPrefix = (key: string, prefix: string, delimiter: string) => {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.slice(0, at + delimiter.length)
}

/** Keys behind one common prefix are jumped over, not read. */
const pageOf = (
  catalogue: Catalogue,
  bucket: string,
  {
    prefix,
    delimiter,
    after,
    limit,
  }: Record<"prefix" | "delimiter" | "after", string> & {
    readonly limit: number
  },
): Page => {
  const objects: Array<ObjectRow> = []
  const prefixes: Array<string> = []
  let last = after
  for (;;) {
    const wanted = limit - objects.length - prefixes.length
    const rows = catalogue.range(bucket, prefix, last, delimiter === "" ? wanted + 1 : 2)
    for (const row of rows) {
      if (objects.length + prefixes.length >= limit) return { objects, prefixes, next: last }
      const common = commonPrefix(row.key, prefix, delimiter)
      if (common === undefined) {
        objects.push(row)
        last = row.key
      } else if (common + LAST !== last) {
        prefixes.push(common)
        last = common + LAST
      }
    }
    if (rows.length === 0 || delimiter === "") return { objects, prefixes, next: undefined }
  }
}

const token = (text: string) => Buffer.from(text).toString("base64url")
const readToken = (text: string) => Buffer.from(text, "base64url").toString()

export const list = ({ catalogue }: Store, asked: Asked): Response | Refusal => {
  if (parameter(asked, "list-type") !== "2") return "NotImplemented"
  const limit = Math.min(Number(parameter(asked, "max-keys") ?? MAX_KEYS), MAX_KEYS)
  if (!Number.isInteger(limit) || limit < 0) return "InvalidArgument"
  const continuation = parameter(asked, "continuation-token")
  const [prefix, delimiter] = [
    parameter(asked, "prefix") ?? "",
    parameter(asked, "delimiter") ?? "",
  ]
  const startAfter = parameter(asked, "start-after") ?? ""
  const after = continuation === undefined ? startAfter : readToken(continuation)
  const { objects, prefixes, next } =
    limit === 0
      ? { objects: [], prefixes: [], next: undefined }
      : pageOf(catalogue, asked.bucket, { prefix, delimiter, after, limit })

  const isEncoded = parameter(asked, "encoding-type") === "url"
  const name = (text: string) => escapeXml(isEncoded ? urlEncoded(text) : text)
  const contents = objects.map(
    ({ key, etag, byteLength, lastModified }) =>
      `<Contents><Key>${name(key)}</Key><LastModified>${isoTime(lastModified)}</LastModified><ETag>${escapeXml(etag)}</ETag><Size>${byteLength}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  )
  const common = prefixes.map(
    (text) => `<CommonPrefixes><Prefix>${name(text)}</Prefix></CommonPrefixes>`,
  )
  return xml(
    [
      `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${escapeXml(asked.bucket)}</Name>`,
      `<Prefix>${name(prefix)}</Prefix><KeyCount>${contents.length + common.length}</KeyCount>`,
      `<MaxKeys>${limit}</MaxKeys><IsTruncated>${next !== undefined}</IsTruncated>`,
      delimiter === "" ? "" : `<Delimiter>${name(delimiter)}</Delimiter>`,
      isEncoded ? "<EncodingType>url</EncodingType>" : "",
      continuation === undefined ? "" : `<ContinuationToken>${continuation}</ContinuationToken>`,
      isAskedFor(asked, "start-after") ? `<StartAfter>${name(startAfter)}</StartAfter>` : "",
      next === undefined ? "" : `<NextContinuationToken>${token(next)}</NextContinuationToken>`,
      ...contents,
      ...common,
      "</ListBucketResult>",
    ].join(""),
  )
}

/** The body was verified and is small: at most 1000 keys. */
export const removeMany = async (
  store: Store,
  asked: Asked,
  body: string,
): Promise<Response | Refusal> => {
  const keys = elements(body, "Object").map((object) => element(object, "Key"))
  const isReadable = keys.length > 0 && keys.length <= MAX_KEYS
  if (!isReadable || !keys.every((key) => key !== undefined)) return "MalformedXML"
  await remove(store, asked.bucket, keys)
  const isQuiet = element(body, "Quiet") === "true"
  const deleted = keys.map((key) => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`)
  return xml(
    `<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${isQuiet ? "" : deleted.join("")}</DeleteResult>`,
  )
}
