/** A watermark as it is laid over the pictures of one video: the same on whichever rungs a task makes. */
import { Effect } from "effect"
import { boxOf, type Watermark } from "#domain/channel/watermark.ts"
import type { Rung } from "#domain/transcode/facts.ts"
import type { Mark } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"

/** `rungs`: the whole ladder, lowest first. */
export const markOf = Effect.fnUntraced(function* (
  watermark: Watermark,
  rungs: ReadonlyArray<Rung>,
) {
  const objects = yield* ObjectStore
  const { width, height } = rungs.at(-1) ?? { width: 2, height: 2 }
  const canvas = { width, height }
  const mark: Mark = {
    image: yield* objects.get(watermark.image.key),
    canvas,
    box: boxOf(watermark, canvas),
    opacity: watermark.opacity,
  }
  return mark
})
