/** Identity without a table: everything is an HMAC under one secret. */
import { timingSafeEqual } from "node:crypto"
import { Config, Effect, Layer, Redacted } from "effect"
import { VideoId } from "#domain/ids.ts"
import { type Credentials, Identity, owner, SESSION_COOKIE, SESSION_SECONDS } from "./port.ts"

const LINK_MILLIS = 24 * 3_600_000

const settings = Config.all({
  secret: Config.Redacted("REELOG_SECRET"),
  ownerToken: Config.Redacted("REELOG_OWNER_TOKEN"),
  publicUrl: Config.String("REELOG_PUBLIC_URL").pipe(Config.withDefault("http://127.0.0.1:8080")),
})

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

/** Crockford's base 32 of the first 80 bits. */
export const crockford = (bytes: Uint8Array): string => {
  let bits = 0n
  for (const byte of bytes.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte)
  return Array.from(
    { length: 16 },
    (_, i) => ALPHABET[Number((bits >> BigInt(75 - 5 * i)) & 31n)],
  ).join("")
}

const same = (a: string, b: string) => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const cookieOf = (header: string | undefined) =>
  header
    ?.split(/; */)
    .find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))
    ?.slice(SESSION_COOKIE.length + 1)

export const hmacIdentity = Layer.effect(
  Identity,
  Effect.gen(function* () {
    const { secret, ownerToken, publicUrl } = yield* settings
    const home = new URL(publicUrl).origin
    const hmac = (text: string) =>
      new Bun.CryptoHasher("sha256", Redacted.value(secret)).update(text).digest()
    const sign = (text: string) => `${text}.${hmac(text).toString("base64url")}`
    /** The text that was signed, when it was signed here and its third field is a time to come. */
    const verify = (signed: string, kind: string, now: number) => {
      const text = signed.slice(0, signed.lastIndexOf("."))
      const [label, subject, expires] = text.split("~")
      const isOurs = signed.length < 512 && same(signed, sign(text)) && label === kind
      return isOurs && Number(expires) > now ? subject : undefined
    }

    const actorOf = ({ authorization, cookie, origin }: Credentials, now: number) => {
      const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
      if (bearer !== undefined) return same(bearer, Redacted.value(ownerToken)) ? owner : undefined
      const session = cookieOf(cookie)
      if (session === undefined || (origin !== undefined && origin !== home)) return undefined
      return verify(session, "session", now) === owner.accountId ? owner : undefined
    }

    return Identity.of({
      actorOf,
      session: (accountId, now) => sign(`session~${accountId}~${now + SESSION_SECONDS * 1000}`),
      signInCode: (nonce, now) => sign(`link~${nonce}~${now + LINK_MILLIS}`),
      readSignInCode: (code, now) => verify(code, "link", now),
      videoIdFor: (cell, accountId, key) =>
        VideoId.make(cell + crockford(hmac(`video ${accountId} ${key}`))),
      requestHash: (request) => hmac(`request ${JSON.stringify(request)}`).toString("hex"),
    })
  }),
)
