/** The embedded object store as a process of its own. Says `{"ready":URL}` on stdout once it listens. */
import { mkdirSync } from "node:fs"
import { Config, Effect, Redacted, Schema } from "effect"
import { runMain } from "#infra/configuration.ts"
import { serve } from "./server.ts"

/** `host:port`; port 0: any that is free. */
const Address = Schema.String.check(Schema.isPattern(/^\S+:\d{1,5}$/))

const settings = Config.all({
  listen: Config.schema(Address, "REELOG_S3_LISTEN").pipe(Config.withDefault("127.0.0.1:8082")),
  folder: Config.NonEmptyString("REELOG_S3_DATA"),
  bucket: Config.NonEmptyString("REELOG_S3_BUCKET").pipe(Config.withDefault("reelog")),
  accessKeyId: Config.NonEmptyString("REELOG_S3_ACCESS_KEY_ID"),
  secretAccessKey: Config.Redacted("REELOG_S3_SECRET_ACCESS_KEY"),
  corsOrigins: Config.String("REELOG_S3_CORS_ORIGINS").pipe(Config.withDefault("")),
})

const open = Effect.gen(function* () {
  const { listen, folder, bucket, accessKeyId, secretAccessKey, corsOrigins } = yield* settings
  const runFork = Effect.runForkWith(yield* Effect.context())
  const colon = listen.lastIndexOf(":")
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return serve({
    hostname: listen.slice(0, colon),
    port: Number(listen.slice(colon + 1)),
    folder,
    bucket,
    credentials: { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) },
    corsOrigins: corsOrigins.split(/[\s,]+/).filter((origin) => origin !== ""),
    onFailure: (cause) => runFork(Effect.logError("A request failed", cause)),
  })
})

const program = Effect.gen(function* () {
  const server = yield* Effect.acquireRelease(open, ({ stop }) => Effect.promise(stop))
  process.stdout.write(`${JSON.stringify({ ready: server.url })}\n`)
  const swept = yield* Effect.promise(server.sweep)
  if (swept > 0) yield* Effect.logInfo("Removed files of interrupted requests", { swept })
  return yield* Effect.never
})

runMain(Effect.scoped(program))
