/**
 * Whether a request may pass: Signature Version 4, in the Authorization header or in the query of
 * a pre-signed URL. What was signed is built anew from what arrived, so a changed method, path,
 * parameter, signed header or length has another signature.
 */
import { timingSafeEqual } from "node:crypto"
import {
  ALGORITHM,
  encodeQuery,
  millisOf,
  type Scope,
  signatureOf,
  signingKey,
  UNSIGNED_PAYLOAD,
} from "../signature.ts"
import { type Asked, header, parameter } from "./asked.ts"
import type { Refusal } from "./refusal.ts"

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What the body must prove yet: its hash, or the signature of each chunk. */
export interface Permission {
  readonly payloadHash: string
  readonly date: string
  readonly scope: Scope
  readonly key: Uint8Array
  readonly signature: string
}

const MAX_SKEW_MILLIS = 15 * 60_000
const MAX_EXPIRES_SECONDS = 7 * 24 * 3_600

interface Claim {
  readonly accessKeyId: string
  readonly scope: Scope
  readonly date: string
  readonly signedHeaders: ReadonlyArray<string>
  readonly signature: string
  readonly payloadHash: string
  /** Seconds; of a pre-signed URL. */
  readonly expires?: number
}

const CREDENTIAL = /^([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})$/

const claimOfHeader = (asked: Asked, authorization: string): Claim | Refusal => {
  const [, credential = "", names = "", signature = ""] = AUTHORIZATION.exec(authorization) ?? []
  const [, accessKeyId, day, region] = CREDENTIAL.exec(credential) ?? []
  const date = asked.headers.get("x-amz-date")
  const payloadHash = asked.headers.get("x-amz-content-sha256")
  if (!accessKeyId || !day || !region || !date) return "AuthorizationHeaderMalformed"
  if (!payloadHash) return "MissingSecurityHeader"
  const signedHeaders = names.split(";")
  return { accessKeyId, scope: { day, region }, date, signedHeaders, signature, payloadHash }
}

const claimOfQuery = (asked: Asked): Claim | Refusal => {
  const [, accessKeyId, day, region] =
    CREDENTIAL.exec(parameter(asked, "X-Amz-Credential") ?? "") ?? []
  const date = parameter(asked, "X-Amz-Date")
  const signature = parameter(asked, "X-Amz-Signature")
  const expires = Number(parameter(asked, "X-Amz-Expires") ?? "none")
  const isComplete = accessKeyId && day && region && date && signature
  const isKnown = parameter(asked, "X-Amz-Algorithm") === ALGORITHM
  if (!isComplete || !isKnown || !(expires > 0 && expires <= MAX_EXPIRES_SECONDS)) {
    return "AuthorizationQueryParametersError"
  }
  return {
    accessKeyId,
    scope: { day, region },
    date,
    signedHeaders: (parameter(asked, "X-Amz-SignedHeaders") ?? "").split(";"),
    signature,
    payloadHash: header(asked, "x-amz-content-sha256") ?? UNSIGNED_PAYLOAD,
    expires,
  }
}

const claimOf = (asked: Asked): Claim | Refusal => {
  const authorization = asked.headers.get("authorization")
  if (authorization !== null) return claimOfHeader(asked, authorization)
  return parameter(asked, "X-Amz-Signature") === undefined ? "AccessDenied" : claimOfQuery(asked)
}

const timeOf = ({ date, scope, expires }: Claim, now: number): Refusal | undefined => {
  const signedAt = millisOf(date)
  if (Number.isNaN(signedAt) || !date.startsWith(scope.day)) return "AccessDenied"
  if (signedAt > now + MAX_SKEW_MILLIS) return "RequestTimeTooSkewed"
  if (expires !== undefined) return now > signedAt + expires * 1_000 ? "RequestExpired" : undefined
  return now > signedAt + MAX_SKEW_MILLIS ? "RequestTimeTooSkewed" : undefined
}

const areEqual = (one: string, other: string) => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Keys of the last days and regions asked for; a signature is two hashes then, not six. */
const keyring = (secret: string) => {
  const keys = new Map<string, Uint8Array>()
  return (scope: Scope) => {
    const name = `${scope.day}/${scope.region}`
    const known = keys.get(name)
    if (known) return known
    if (keys.size >= 16) keys.clear()
    const key = signingKey(secret, scope)
    keys.set(name, key)
    return key
  }
}

export const authorizer = ({ accessKeyId, secretAccessKey }: Credentials) => {
  const keyOf = keyring(secretAccessKey)

  return (asked: Asked, now: number): Permission | Refusal => {
    const claim = claimOf(asked)
    if (typeof claim === "string") return claim
    if (!areEqual(claim.accessKeyId, accessKeyId)) return "InvalidAccessKeyId"
    const late = timeOf(claim, now)
    if (late) return late

    const signed = new Set(claim.signedHeaders)
    const unsigned = Array.from(asked.headers.keys()).filter(
      (name) => name.startsWith("x-amz-") && !signed.has(name),
    )
    if (!signed.has("host") || unsigned.length > 0) return "UnsignedHeader"

    const key = keyOf(claim.scope)
    const signature = signatureOf(key, claim.scope, claim.date, {
      method: asked.method,
      path: asked.path,
      query: encodeQuery(asked.query.filter(([name]) => name !== "X-Amz-Signature")),
      headers: claim.signedHeaders.map((name) => [name, asked.headers.get(name) ?? ""]),
      payloadHash: claim.payloadHash,
    })
    if (!areEqual(signature, claim.signature)) return "SignatureDoesNotMatch"
    return { payloadHash: claim.payloadHash, date: claim.date, scope: claim.scope, key, signature }
  }
}
