/** Stage `Storyboard`: small pictures of the whole video on a few sprites, and the WebVTT that says when is where. */
import { Effect, Schema } from "effect"
import { image } from "#domain/keys.ts"
import type { Storyboard } from "#domain/transcode/facts.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ index: ObjectRef })

export const storyboard = stage(
  Input,
  Effect.fn("stage.storyboard")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const made = yield* media.storyboard({
      source,
      index: yield* objects.get(index.key),
      directory,
    })
    const spriteKeys = yield* Effect.forEach(
      made.sprites,
      Effect.fnUntraced(function* ({ name, data }) {
        const key = image(task.videoId, task.run, name)
        yield* keepMedia(key, data, "image/jpeg")
        return key
      }),
    )
    const vttKey = image(task.videoId, task.run, "storyboard.vtt")
    yield* keepMedia(vttKey, new TextEncoder().encode(made.vtt), "text/vtt")
    const kept: Storyboard = { vttKey, spriteKeys }
    return { outputs: { storyboard: kept, work: workOf(made) }, cpuSeconds: made.cpuSeconds }
  }),
)
