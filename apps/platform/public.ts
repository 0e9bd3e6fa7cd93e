/** The public port of an embedded platform: API and pages in one process, to save memory. */
import { Config, Effect, Option } from "effect"
import { Elysia } from "elysia"
import { runMain } from "#infra/configuration.ts"
import { adapters } from "../api/adapters.ts"
import { api } from "../api/app.ts"
import { forgetChangedRows, openOwnersChannel } from "../api/background.ts"
import type { Run } from "../api/respond.ts"
import type { ApiServices } from "../api/services.ts"
import { ApiSettings } from "../api/settings.ts"
import { web } from "../web/app.ts"
import { readerOver } from "./reader.ts"

const s3PublicUrl = Config.String("REELOG_S3_PUBLIC_URL")
const webCache = Config.option(Config.String("REELOG_WEB_CACHE"))

const program = Effect.gen(function* () {
  const { listen, publicUrl, edgeUrl } = yield* ApiSettings
  const objectStore = yield* s3PublicUrl
  const cache = yield* webCache
  const context = yield* Effect.context<ApiServices>()
  const run: Run<ApiServices> = (effect) =>
    Effect.runPromiseExit(Effect.provideContext(effect, context))

  const pages = web({
    reader: readerOver(run),
    origins: { edge: edgeUrl, objectStore },
    isSecure: publicUrl.startsWith("https:"),
    ...Option.match(cache, { onNone: () => ({}), onSome: (folder) => ({ cache: folder }) }),
  })
  const app = new Elysia().use(api(run)).use(pages)
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      Bun.serve({
        ...listen,
        idleTimeout: 60,
        development: false,
        fetch: (asked) => app.handle(asked),
      }),
    ),
    (server) => Effect.promise(() => server.stop()),
  )
  yield* Effect.forkScoped(forgetChangedRows)
  yield* Effect.forkScoped(openOwnersChannel)
  return yield* Effect.never
})

runMain(Effect.scoped(Effect.provide(program, adapters)))
