/** The public port of an embedded platform: API and pages in one process, to save memory. */
import { Config, Effect, Option } from "effect"
import { Elysia } from "elysia"
import { runMain } from "#infra/configuration.ts"
import { adapters } from "../api/adapters.ts"
import { api } from "../api/app.ts"
import { serve } from "../api/serve.ts"
import { ApiSettings } from "../api/settings.ts"
import { web } from "../web/app.ts"
import { readerOver } from "./reader.ts"

const settings = Config.all({
  objectStore: Config.String("REELOG_S3_PUBLIC_URL"),
  cache: Config.option(Config.String("REELOG_WEB_CACHE")),
})

const program = Effect.gen(function* () {
  const { publicUrl, edgeUrl } = yield* ApiSettings
  const { objectStore, cache } = yield* settings
  return yield* serve((run) => {
    const pages = web({
      reader: readerOver(run),
      origins: { edge: edgeUrl, objectStore },
      isSecure: publicUrl.startsWith("https:"),
      ...Option.match(cache, { onNone: () => ({}), onSome: (folder) => ({ cache: folder }) }),
    })
    return new Elysia().use(api(run)).use(pages)
  })
})

runMain(Effect.scoped(Effect.provide(program, adapters)))
