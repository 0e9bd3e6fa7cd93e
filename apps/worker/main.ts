/**
 * The worker process: the log, the object store and the media programs, and a disk for scratch. Says
 * `{"ready": …}` when it joins. `--kinds a,b` is `REELOG_WORKER_KINDS`.
 */
import { parseArgs } from "node:util"
import { Effect, Layer } from "effect"
import { runMain } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { ffmpegMediaTools } from "#infra/media/ffmpeg.ts"
import { MediaTools } from "#infra/media/port.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { worker } from "./app.ts"
import { scratchSettings, workerSettings } from "./settings.ts"

const { kinds } = parseArgs({ options: { kinds: { type: "string" } } }).values
if (kinds !== undefined) process.env.REELOG_WORKER_KINDS = kinds

const adapters = Layer.mergeAll(eventStoreDb, s3ObjectStore, ffmpegMediaTools)

const program = Effect.gen(function* () {
  const settings = yield* workerSettings
  const disk = yield* scratchSettings
  const { sandbox } = yield* MediaTools
  yield* Effect.logInfo("working", { ...settings, ...disk, sandbox })
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify({ ready: "worker" })}\n`))
  return yield* worker(settings, disk)
})

runMain(Effect.provide(program, adapters))
