/**
 * Stage `Inspect`: what the source is, which rungs it deserves, and its index, grid included, that
 * all later stages work by. Whatever cannot become a video is refused here, at once and for good.
 * A watermark changes the rungs alone: the index, and all that is made by it but the video, is the
 * same with one and without.
 */
import { Effect, Schema } from "effect"
import { Watermark } from "#domain/channel/watermark.ts"
import { temp } from "#domain/keys.ts"
import { firstGroups, WHOLE_LADDER } from "#domain/transcode/chunks.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import { type Inspected, MediaTools } from "#infra/media/port.ts"
import { keepRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ watermark: Schema.optionalKey(Watermark) })

/** The source's own coded pictures carry no mark, so no rung is a copy of them. */
const withoutCopy = ({ rungs, copyRefused = [] }: Pick<Inspected, "rungs" | "copyRefused">) => ({
  rungs: rungs.map(encodedInstead),
  copyRefused: ["watermark", ...copyRefused],
})

export const inspect = stage(
  Input,
  Effect.fn("stage.inspect")(function* (task, { watermark }) {
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const found = yield* media.inspect(source, directory)
    const index = yield* keepRef(temp(task.videoId, task.run, "index.json"), found.index)
    const { rungs, copyRefused } = watermark === undefined ? found : withoutCopy(found)
    return {
      outputs: {
        ...{ media: found.media, rungs, index, work: workOf(found) },
        ...(copyRefused !== undefined && { copyRefused }),
      },
      groups: [...new Set([...firstGroups(rungs), WHOLE_LADDER])],
      cpuSeconds: found.cpuSeconds,
    }
  }),
)
