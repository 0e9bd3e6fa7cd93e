import { expect, test } from "bun:test"
import { ConfigProvider, Effect, Layer } from "effect"
import { idPattern } from "#domain/ids.ts"
import { hmacIdentity } from "./hmac.ts"
import { Identity, owner, SESSION_COOKIE } from "./port.ts"

const env = {
  REELOG_SECRET: "s3cret",
  REELOG_OWNER_TOKEN: "t0ken",
  REELOG_PUBLIC_URL: "http://127.0.0.1:8080",
}
const layer = hmacIdentity.pipe(
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env))),
)
const ask = <A>(use: (who: Identity["Service"]) => A) =>
  Effect.runPromise(Effect.provide(Identity, layer).pipe(Effect.map(use)))
const now = 1_700_000_000_000

test("the owner's token opens, another one and none do not", async () => {
  const actor = await ask((who) => who.actorOf({ authorization: "Bearer t0ken" }, now))
  expect(actor).toEqual(owner)
  expect(await ask((who) => who.actorOf({ authorization: "Bearer t0kem" }, now))).toBeUndefined()
  expect(await ask((who) => who.actorOf({ authorization: "Bearer " }, now))).toBeUndefined()
  expect(await ask((who) => who.actorOf({}, now))).toBeUndefined()
})

test("a session opens until it expires, from this origin, unless a byte of it changed", async () => {
  const session = await ask((who) => who.session(owner.accountId, now))
  const cookie = `a=b; ${SESSION_COOKIE}=${session}`
  const at = (time: number, text = cookie, origin?: string) =>
    ask((who) => who.actorOf({ cookie: text, origin }, time))
  expect(await at(now)).toEqual(owner)
  expect(await at(now, cookie, "http://127.0.0.1:8080")).toEqual(owner)
  expect(await at(now, cookie, "http://evil.test")).toBeUndefined()
  expect(await at(now + 31 * 24 * 3_600_000)).toBeUndefined()
  expect(await at(now, cookie.replace("owner", "other"))).toBeUndefined()
})

test("a sign-in code is no session, and a session no code", async () => {
  const code = await ask((who) => who.signInCode("nonce", now))
  expect(await ask((who) => who.readSignInCode(code, now))).toBe("nonce")
  expect(await ask((who) => who.readSignInCode(code, now + 25 * 3_600_000))).toBeUndefined()
  expect(
    await ask((who) => who.actorOf({ cookie: `${SESSION_COOKIE}=${code}` }, now)),
  ).toBeUndefined()
})

test("one key gets one id, another key another", async () => {
  const id = (key: string) => ask((who) => who.videoIdFor("loc", owner.accountId, key))
  expect(await id("a")).toBe(await id("a"))
  expect(await id("a")).not.toBe(await id("b"))
  expect(await id("a")).toMatch(idPattern)
})
