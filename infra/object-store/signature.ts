/**
 * AWS Signature Version 4 as S3 uses it: what is signed, and with which key. Both sides stand on
 * these functions: `presign.ts` signs with them, the embedded node verifies with them.
 */

export const ALGORITHM = "AWS4-HMAC-SHA256"
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

/** What a signing key is good for: a day in a region. */
export interface Scope {
  /** `20261124` */
  readonly day: string
  readonly region: string
}

export interface SignedRequest {
  readonly method: string
  /** Encoded, as in the URL. */
  readonly path: string
  /** Encoded and sorted, without the signature itself. */
  readonly query: string
  /** By lower-case name, sorted. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly payloadHash: string
}

export const sha256Hex = (text: string | Uint8Array) =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex")

const hmac = (key: string | Uint8Array, text: string): Buffer =>
  new Bun.CryptoHasher("sha256", key).update(text).digest()

export const hmacHex = (key: Uint8Array, text: string): string =>
  new Bun.CryptoHasher("sha256", key).update(text).digest("hex")

const RESERVED = /[!'()*]/g

/** RFC 3986: only the unreserved characters stay, unlike `encodeURIComponent`. */
export const encode = (text: string) =>
  encodeURIComponent(text).replace(
    RESERVED,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

export const encodePath = (path: string) => path.split("/").map(encode).join("/")

export const encodeQuery = (pairs: ReadonlyArray<readonly [string, string]>) =>
  pairs
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&")

/** `20261124T093000Z` */
export const amzDate = (millis: number) =>
  `${new Date(millis).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`

const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** NaN when it is not a time. */
export const millisOf = (date: string) =>
  AMZ_DATE.test(date) ? Date.parse(date.replace(AMZ_DATE, "$1-$2-$3T$4:$5:$6.000Z")) : Number.NaN

export const scopeOf = ({ day, region }: Scope) => `${day}/${region}/s3/aws4_request`

export const signingKey = (secret: string, { day, region }: Scope): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), "s3"), "aws4_request")

const canonical = ({ method, path, query, headers, payloadHash }: SignedRequest) => {
  const names = headers.map(([name]) => name).join(";")
  const lines = headers.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}\n`)
  return `${method}\n${path}\n${query}\n${lines.join("")}\n${names}\n${payloadHash}`
}

export const signatureOf = (
  key: Uint8Array,
  scope: Scope,
  date: string,
  request: SignedRequest,
): string =>
  hmacHex(key, `${ALGORITHM}\n${date}\n${scopeOf(scope)}\n${sha256Hex(canonical(request))}`)
