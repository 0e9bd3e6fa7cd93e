/** Stage `Thumbnails`: still pictures to choose a video by. */
import { Effect, Schema } from "effect"
import { image } from "#domain/keys.ts"
import type { Picture } from "#domain/transcode/facts.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ index: ObjectRef })

export const thumbnails = stage(
  Input,
  Effect.fn("stage.thumbnails")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const made = yield* media.thumbnails({
      source,
      index: yield* objects.get(index.key),
      directory,
    })
    const images = yield* Effect.forEach(
      made.images,
      Effect.fnUntraced(function* ({ name, data, width, height, at }) {
        const key = image(task.videoId, task.run, name)
        yield* keepMedia(key, data, "image/jpeg")
        return { key, width, height, at } satisfies Picture
      }),
    )
    return { outputs: { images, work: workOf(made) }, cpuSeconds: made.cpuSeconds }
  }),
)
