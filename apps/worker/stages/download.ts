/**
 * Stage `Download`: the whole source is here. It fetches what was uploaded and nothing else: no URL
 * of the world outside is ever asked for.
 */
import { Effect, Schema } from "effect"
import { sourcePrefix } from "#domain/keys.ts"
import { Sources } from "../source.ts"
import { InputsUnreadable, stage } from "../stage.ts"

const Input = Schema.Struct({ url: Schema.String })

export const download = stage(
  Input,
  Effect.fn("stage.download")(function* (task, { url }) {
    if (url !== sourcePrefix(task.videoId)) {
      return yield* new InputsUnreadable({ issue: "url is not that of the upload" })
    }
    const source = yield* (yield* Sources).of(task.videoId)
    yield* source.whole
    return { outputs: { file: { url, byteLength: source.byteLength } }, cpuSeconds: 0 }
  }),
)
