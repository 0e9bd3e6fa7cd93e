/** Stage `Thumbnails`: still pictures to choose a video by, the best first. */
import { Effect, Schema } from "effect"
import { image } from "#domain/keys.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepPicture } from "../keep-picture.ts"
import { ObjectRef } from "../objects.ts"
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
    const images = yield* Effect.forEach(made.images, ({ at, files }) =>
      keepPicture((name) => image(task.videoId, task.run, name), at, files),
    )
    return { outputs: { images, work: workOf(made) }, cpuSeconds: made.cpuSeconds }
  }),
)
