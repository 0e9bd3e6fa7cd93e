/** How the copies of a picture are kept, and told. */
import { Effect } from "effect"
import type { ImageFile, Picture } from "#domain/transcode/facts.ts"
import type { ImageData } from "#infra/media/port.ts"
import { keepMedia } from "./objects.ts"

export const keepPicture = Effect.fnUntraced(function* (
  keyOf: (name: string) => string,
  at: number,
  files: ReadonlyArray<ImageData>,
) {
  const kept = yield* Effect.forEach(
    files,
    Effect.fnUntraced(function* ({ name, data, width, height, format }) {
      const key = keyOf(name)
      const bytes = yield* keepMedia(key, data, `image/${format}`)
      return { key, width, height, format, bytes } satisfies ImageFile
    }),
  )
  const largest = kept.findLast(({ format }) => format === "jpeg")
  return {
    key: largest?.key ?? "",
    width: largest?.width ?? 0,
    height: largest?.height ?? 0,
    at,
    files: kept,
  } satisfies Picture
})
