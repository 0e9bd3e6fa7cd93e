/** Stage `Grayscale`: shows the video without colour. It works on the index alone: whatever reads the index it gives makes gray pictures. */
import { Effect, Schema } from "effect"
import { temp } from "#domain/keys.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepRef, ObjectRef } from "../objects.ts"
import { stage } from "../stage.ts"

const Input = Schema.Struct({ index: ObjectRef })

export const grayscale = stage(
  Input,
  Effect.fn("stage.grayscale")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const gray = yield* media.look(yield* objects.get(index.key), "gray")
    const kept = yield* keepRef(temp(task.videoId, task.run, `${task.step}/index.json`), gray)
    return { outputs: { index: kept }, cpuSeconds: 0 }
  }),
)
