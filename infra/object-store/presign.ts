/**
 * Permission for a client to PUT one object: a Signature Version 4 URL that signs the length, the
 * condition that nothing is there yet and, when known, the hash. The signing key is derived once a
 * day, so that an upload of many parts costs three hashes a URL. The client must send the headers
 * `If-None-Match: *` and, when it was given one, `x-amz-checksum-sha256`, as they were signed.
 */
import type { PresignedPut } from "./port.ts"
import {
  ALGORITHM,
  amzDate,
  encodePath,
  encodeQuery,
  scopeOf,
  signatureOf,
  signingKey,
  UNSIGNED_PAYLOAD,
} from "./signature.ts"

export interface PresignSettings {
  /** Where clients reach the store. */
  readonly publicUrl: URL
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** `host/bucket/key` rather than `bucket.host/key`. */
  readonly forcePathStyle: boolean
}

export const presigner = (settings: PresignSettings) => {
  const { publicUrl, region, bucket, accessKeyId, secretAccessKey, forcePathStyle } = settings
  const host = forcePathStyle ? publicUrl.host : `${bucket}.${publicUrl.host}`
  const root = publicUrl.pathname.replace(/\/$/, "") + (forcePathStyle ? `/${bucket}` : "")
  let today: { readonly day: string; readonly key: Uint8Array } = { day: "", key: new Uint8Array() }

  return ({ key, byteLength, sha256, expiresSeconds }: PresignedPut, now: number): URL => {
    const date = amzDate(now)
    const scope = { day: date.slice(0, 8), region }
    if (today.day !== scope.day) today = { day: scope.day, key: signingKey(secretAccessKey, scope) }

    const headers: ReadonlyArray<readonly [string, string]> = [
      ["content-length", String(byteLength)],
      ["host", host],
      ["if-none-match", "*"],
      ...(sha256 === undefined ? [] : [["x-amz-checksum-sha256", sha256] as const]),
    ]
    const path = `${root}/${encodePath(key)}`
    const query = encodeQuery([
      ["X-Amz-Algorithm", ALGORITHM],
      ["X-Amz-Credential", `${accessKeyId}/${scopeOf(scope)}`],
      ["X-Amz-Date", date],
      ["X-Amz-Expires", String(expiresSeconds)],
      ["X-Amz-SignedHeaders", headers.map(([name]) => name).join(";")],
    ])
    const signed = { method: "PUT", path, query, headers, payloadHash: UNSIGNED_PAYLOAD }
    const signature = signatureOf(today.key, scope, date, signed)
    return new URL(`${publicUrl.protocol}//${host}${path}?${query}&X-Amz-Signature=${signature}`)
  }
}
