/** The link by which the owner's browser signs in the first time: it works once, within a day. */
import { Clock, ConfigProvider, Effect, Layer } from "effect"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { Identity } from "#infra/identity/port.ts"
import type { Home } from "./home.ts"

export const signInLink = Effect.fn("signInLink")(
  function* (_home: Pick<Home, "secrets" | "ownerToken">, url: string) {
    const { signInCode } = yield* Identity
    const code = signInCode(crypto.randomUUID(), yield* Clock.currentTimeMillis)
    return `${url}/sign-in?code=${encodeURIComponent(code)}`
  },
  (link, home) => {
    const settings = ConfigProvider.fromUnknown({
      REELOG_SECRET: home.secrets.secret,
      REELOG_OWNER_TOKEN: home.ownerToken,
    })
    return Effect.provide(link, hmacIdentity.pipe(Layer.provide(ConfigProvider.layer(settings))))
  },
)
