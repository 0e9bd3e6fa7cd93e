/**
 * Stage `Inspect`: what the source is, which rungs it deserves, and its index, grid included, that
 * all later stages work by. Whatever cannot become a video is refused here, at once and for good.
 */
import { Effect, Schema } from "effect"
import { temp } from "#domain/keys.ts"
import { firstGroups, WHOLE_LADDER } from "#domain/transcode/chunks.ts"
import { MediaTools } from "#infra/media/port.ts"
import { keepRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({})

export const inspect = stage(
  Input,
  Effect.fn("stage.inspect")(function* (task) {
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const found = yield* media.inspect(source, directory)
    const index = yield* keepRef(temp(task.videoId, task.run, "index.json"), found.index)
    return {
      outputs: {
        ...{ media: found.media, rungs: found.rungs, index, work: workOf(found) },
        ...(found.copyRefused !== undefined && { copyRefused: found.copyRefused }),
      },
      groups: [...new Set([...firstGroups(found.rungs), WHOLE_LADDER])],
      cpuSeconds: found.cpuSeconds,
    }
  }),
)
