/**
 * The pages as a process of their own: its adapters, its port. The API stands elsewhere behind the
 * same origin; the reader is the one the platform uses, so pages are the same everywhere.
 */
import { Config, Effect, Option } from "effect"
import { runMain } from "#infra/configuration.ts"
import { adapters } from "../api/adapters.ts"
import { forgetChangedRows } from "../api/background.ts"
import type { Run } from "../api/respond.ts"
import type { ApiServices } from "../api/services.ts"
import { ApiSettings } from "../api/settings.ts"
import { readerOver } from "../platform/reader.ts"
import { web } from "./app.ts"

const s3PublicUrl = Config.String("REELOG_S3_PUBLIC_URL")
const bundles = Config.option(Config.String("REELOG_WEB_CACHE"))

const program = Effect.gen(function* () {
  const { listen, publicUrl, edgeUrl } = yield* ApiSettings
  const objectStore = yield* s3PublicUrl
  const cache = yield* bundles
  const context = yield* Effect.context<ApiServices>()
  const run: Run<ApiServices> = (effect) =>
    Effect.runPromiseExit(Effect.provideContext(effect, context))

  const pages = web({
    reader: readerOver(run),
    origins: { edge: edgeUrl, objectStore },
    isSecure: publicUrl.startsWith("https:"),
    ...(Option.isSome(cache) ? { cache: cache.value } : {}),
  }).get("/healthz", () => new Response("ok\n"))
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      Bun.serve({ ...listen, development: false, fetch: (asked) => pages.handle(asked) }),
    ),
    (server) => Effect.promise(() => server.stop()),
  )
  yield* Effect.forkScoped(forgetChangedRows)
  return yield* Effect.never
})

runMain(Effect.scoped(Effect.provide(program, adapters)))
