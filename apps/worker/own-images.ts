/** Images that owners uploaded in place of a thumbnail. */
import { Effect } from "effect"
import { ownImage, ownImageSource } from "#domain/keys.ts"
import { type VideoCommand, video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import type { Group } from "#infra/event-store/port.ts"
import { MediaTools } from "#infra/media/port.ts"
import { keepPicture } from "./keep-picture.ts"
import { madeAnew } from "./made-anew.ts"
import { Scratch } from "./scratch.ts"

const ownImagesGroup: Group = {
  name: "own-images",
  filter: { types: ["ThumbnailUploaded"] },
  maxRetryCount: 8,
  messageTimeoutMillis: 300_000,
}

export const ownImages = madeAnew(ownImagesGroup, ({ event }) => {
  if (event._tag !== "ThumbnailUploaded") return undefined
  const { videoId, image } = event
  return {
    source: ownImageSource(videoId, image),
    make: Effect.fnUntraced(function* (bytes, at) {
      const media = yield* MediaTools
      const directory = yield* (yield* Scratch).directory(`own-image-${videoId}-${image}`)
      const { files } = yield* media.ownImage({ bytes, name: image, directory })
      const { key, width, height, ...rest } = yield* keepPicture(
        (name) => ownImage(videoId, name),
        0,
        files,
      )
      const picture = { key, width, height, files: rest.files }
      const command: VideoCommand = { _tag: "ShowThumbnail", videoId, image, picture, at }
      return command
    }, Effect.scoped),
    refuse: (code, at): VideoCommand => ({ _tag: "RefuseThumbnail", videoId, image, code, at }),
    tell: (command, cause) => execute(video, command, cause),
  }
})
