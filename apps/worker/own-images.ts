/**
 * Images that owners uploaded in place of a thumbnail, made anew one at a time. They belong to no
 * transcode, so no scheduler assigns them: workers compete for them in a group. Redelivered, an
 * image comes to the same copies and the same event.
 */
import { Duration, Effect, Schema, Stream } from "effect"
import { Timestamp, type VideoId } from "#domain/ids.ts"
import { ownImage, ownImageSource } from "#domain/keys.ts"
import { type VideoCommand, video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import { type Delivery, EventStore, type Group, type Recorded } from "#infra/event-store/port.ts"
import { ImageRefused, MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepPicture } from "./keep-picture.ts"
import { Scratch } from "./scratch.ts"

export const ownImagesGroup: Group = {
  name: "own-images",
  filter: { types: ["ThumbnailUploaded"] },
  maxRetryCount: 8,
  messageTimeoutMillis: 300_000,
}

/** Then the owner is told that it did not work, rather than nothing. */
const TRIES = 5
const PAUSE = Duration.seconds(1)

/** The source is gone where the image was made before: whoever came first has said so. */
class ImageLost extends Schema.TaggedError<ImageLost>()("ImageLost", {}) {}

const make = Effect.fnUntraced(function* (videoId: VideoId, imageId: string) {
  const objects = yield* ObjectStore
  const media = yield* MediaTools
  const directory = yield* (yield* Scratch).directory(`own-image-${videoId}-${imageId}`)
  const bytes = yield* objects
    .get(ownImageSource(videoId, imageId))
    .pipe(Effect.catchTag("ObjectNotFound", () => Effect.fail(new ImageLost())))
  const { files } = yield* media.ownImage({ bytes, name: imageId, directory })
  const { key, width, height, ...rest } = yield* keepPicture(
    (name) => ownImage(videoId, name),
    0,
    files,
  )
  return { key, width, height, files: rest.files }
}, Effect.scoped)

const refusalOf = (failure: { readonly _tag: string }) =>
  failure instanceof ImageRefused ? failure.code : "not_made"

const isFinal = (failure: { readonly _tag: string }, tries: number) =>
  failure._tag === "ImageRefused" || failure._tag === "ImageLost" || tries + 1 >= TRIES

const handle = Effect.fn("ownImage")(function* ({ recorded, retryCount, ...delivery }: Delivery) {
  const { event } = recorded
  if (event._tag !== "ThumbnailUploaded") return yield* delivery.ack
  const { videoId, image } = event
  const objects = yield* ObjectStore

  const tell = (command: VideoCommand) =>
    execute(video, command, causeOf(recorded)).pipe(
      Effect.andThen(objects.remove([ownImageSource(videoId, image)])),
      Effect.andThen(delivery.ack),
    )
  const at = Timestamp.make(Math.trunc(recorded.recordedAt))
  yield* make(videoId, image).pipe(
    Effect.map((picture): VideoCommand => ({ _tag: "ShowThumbnail", videoId, image, picture, at })),
    Effect.catchIf(
      (failure) => isFinal(failure, retryCount),
      (failure): Effect.Effect<VideoCommand> => {
        const code = refusalOf(failure)
        return Effect.succeed({ _tag: "RefuseThumbnail", videoId, image, code, at })
      },
    ),
    Effect.flatMap(tell),
    Effect.catch((failure) =>
      Effect.logWarning("could not make an image", recorded.id, failure).pipe(
        Effect.andThen(Effect.sleep(PAUSE)),
        Effect.andThen(delivery.retry(failure._tag)),
      ),
    ),
  )
})

const causeOf = ({ id, metadata }: Recorded) => ({
  cause: id,
  correlationId: metadata.$correlationId,
  causationId: id,
  actor: "worker",
})

/** Runs until it is interrupted. */
export const ownImages = Effect.gen(function* () {
  const store = yield* EventStore
  yield* store.consume(ownImagesGroup, 1).pipe(
    Stream.runForEach((delivery) =>
      // Without an answer it comes again.
      Effect.catchTag(handle(delivery), "EventStoreUnavailable", (failure) =>
        Effect.logWarning("could not answer a delivery", failure),
      ),
    ),
  )
})
