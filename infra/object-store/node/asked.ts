/**
 * A request as the store sees it: bucket and key from the path, the query in order, and one way to
 * ask for an `x-amz-` header, which a pre-signed URL may carry in its query instead.
 */
import { encode, encodePath } from "../signature.ts"

export interface Asked {
  readonly method: string
  readonly bucket: string
  /** Empty for a request about the bucket. */
  readonly key: string
  /** Encoded anew, as it must have been signed. */
  readonly path: string
  readonly query: ReadonlyArray<readonly [string, string]>
  readonly headers: Headers
  readonly request: Request
}

/** Undefined for a broken escape and for bytes that are no UTF-8, where `decodeURIComponent` throws. */
const decoded = (text: string): string | undefined => {
  if (!text.includes("%")) return text
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined
  const hex = text.replaceAll(/[^%]+|%[0-9A-Fa-f]{2}/g, (piece) =>
    piece.startsWith("%") ? piece.slice(1) : Buffer.from(piece).toString("hex"),
  )
  const bytes = Buffer.from(hex, "hex")
  const plain = bytes.toString("utf8")
  return Buffer.from(plain).equals(bytes) ? plain : undefined
}

const pairsOf = (query: string) =>
  query
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): readonly [string, string] | undefined => {
      const at = pair.indexOf("=")
      const name = decoded(at < 0 ? pair : pair.slice(0, at))
      const value = at < 0 ? "" : decoded(pair.slice(at + 1))
      return name === undefined || value === undefined ? undefined : [name, value]
    })

/** Undefined when the URL is malformed. The path is read raw: a URL parser would fold `..` in keys. */
export const readRequest = (request: Request): Asked | undefined => {
  const { url, method, headers } = request
  const start = url.indexOf("/", url.indexOf("://") + 3)
  const mark = url.indexOf("?", start)
  const path = decoded(mark < 0 ? url.slice(start) : url.slice(start, mark))
  const query = mark < 0 ? [] : pairsOf(url.slice(mark + 1))
  if (path === undefined || !query.every((pair) => pair !== undefined)) return undefined
  const slash = path.indexOf("/", 1)
  return {
    method,
    bucket: slash < 0 ? path.slice(1) : path.slice(1, slash),
    key: slash < 0 ? "" : path.slice(slash + 1),
    path: encodePath(path),
    query,
    headers,
    request,
  }
}

export const parameter = ({ query }: Asked, name: string): string | undefined =>
  query.find(([given]) => given === name)?.[1]

/** Without a value also: `?uploads`. */
export const isAskedFor = (asked: Asked, name: string) => parameter(asked, name) !== undefined

/** An `x-amz-` header, from the query when it was hoisted there. */
export const header = ({ headers, query }: Asked, name: string): string | undefined =>
  headers.get(name) ?? query.find(([given]) => given.toLowerCase() === name)?.[1] ?? undefined

/** A key as it stands in a list that was asked for with `encoding-type=url`. */
export const urlEncoded = (key: string) => key.split("/").map(encode).join("/")
