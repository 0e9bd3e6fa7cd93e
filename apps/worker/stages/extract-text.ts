/** Stage `ExtractText`: the subtitles that a source carries, as WebVTT, and its chapters. */
import { Effect, Schema } from "effect"
import { textTrack } from "#domain/keys.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ index: ObjectRef })

export const extractText = stage(
  Input,
  Effect.fn("stage.extractText")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const { text, files, ...spent } = yield* media.extractText({
      source,
      index: yield* objects.get(index.key),
      directory,
    })
    yield* Effect.forEach(files, ({ name, data }) =>
      keepMedia(textTrack(task.videoId, task.run, name), data, "text/vtt"),
    )
    return { outputs: { text, work: workOf(spent) }, cpuSeconds: spent.cpuSeconds }
  }),
)
