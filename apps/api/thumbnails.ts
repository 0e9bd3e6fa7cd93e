/**
 * `PUT /v1/videos/{id}/thumbnail`: one of the pictures that the platform made, or an image of the
 * owner's own. An image is looked at only so far as to tell that it is one, and put into the object
 * store; a worker makes it anew, and shows or refuses it.
 */
import { Effect, Schema } from "effect"
import type { VideoId } from "#domain/ids.ts"
import { videoStream } from "#domain/ids.ts"
import { ownImageSource } from "#domain/keys.ts"
import { Choice } from "#domain/video/events.ts"
import { sniffImage } from "#domain/video/still-image.ts"
import { VideoNotFound, video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import type { Asker } from "./asker.ts"
import { MOST_IMAGE_BYTES } from "./gate.ts"
import { pageNow } from "./reading.ts"
import type { Answer } from "./respond.ts"

const ChoiceForm = Schema.Struct({ choice: Choice })

export class NotAnImage extends Schema.TaggedError<NotAnImage>()("NotAnImage", {}) {}
/** The video has no picture of this number, or not yet. */
export class ThumbnailNotFound extends Schema.TaggedError<ThumbnailNotFound>()(
  "ThumbnailNotFound",
  { videoId: Schema.String, number: Schema.Int },
) {}
export class InvalidChoice extends Schema.TaggedError<InvalidChoice>()("InvalidRequest", {
  issues: Schema.Array(Schema.String),
}) {}

const choose = Effect.fn("chooseThumbnail")(function* (
  videoId: VideoId,
  text: string,
  { accountId, at, cause }: Asker,
) {
  const read = Schema.decodeEffect(Schema.fromJsonString(ChoiceForm), {
    onExcessProperty: "error",
  })
  const { choice } = yield* Effect.mapError(
    read(text),
    () => new InvalidChoice({ issues: ["choice: 1, 2, 3, or null for the best"] }),
  )
  if (choice !== null) {
    const page = yield* pageNow(videoId)
    if (page === undefined) return yield* new VideoNotFound({ videoId })
    const made = page.thumbnails.filter(({ isOwn }) => isOwn !== true)
    if (choice > made.length) return yield* new ThumbnailNotFound({ videoId, number: choice })
  }
  const context = { cause, correlationId: videoId, actor: accountId }
  const command = { _tag: "ChooseThumbnail", videoId, choice, at } as const
  const chosen = yield* execute(video, command, context)
  return { ...chosen, body: { videoId, choice } } satisfies Answer
})

const upload = Effect.fn("uploadThumbnail")(function* (
  videoId: VideoId,
  bytes: Uint8Array,
  { accountId, at, cause }: Asker,
) {
  const store = yield* EventStore
  const objects = yield* ObjectStore
  if (sniffImage(bytes) === null) return yield* new NotAnImage()
  // Nothing is kept for a video that does not exist.
  const [last] = yield* store.read(videoStream(videoId), { backwards: true, maxCount: 1 })
  if (last === undefined) return yield* new VideoNotFound({ videoId })

  const image = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16)
  yield* objects.put(ownImageSource(videoId, image), bytes, {
    contentType: "application/octet-stream",
  })
  const context = { cause, correlationId: videoId, actor: accountId }
  const { length: byteLength } = bytes
  const command = { _tag: "UploadThumbnail", videoId, image, byteLength, at } as const
  const uploaded = yield* execute(video, command, context)
  return {
    ...uploaded,
    status: 202,
    body: { videoId, image, state: "processing" },
  } satisfies Answer
})

export const putThumbnail = Effect.fn("putThumbnail")(function* (
  videoId: VideoId,
  request: Request,
  asker: Asker,
) {
  const bytes = new Uint8Array(yield* Effect.promise(() => request.arrayBuffer()))
  const isChoice = /^application\/json *(;|$)/i.test(request.headers.get("content-type") ?? "")
  return yield* isChoice
    ? choose(videoId, new TextDecoder().decode(bytes), asker)
    : upload(videoId, bytes, asker)
})

const binary = {
  schema: { type: "string" as const, contentEncoding: "binary", maxLength: MOST_IMAGE_BYTES },
}

/** Read here: what an image calls itself means nothing. */
export const thumbnailBody = {
  parse: "none" as const,
  detail: {
    summary:
      "Show the video by one of its pictures (`choice`), or by an own image (JPEG, PNG, WebP, AVIF)",
    description:
      "At most 8 MiB. An image is made anew without what else is in it; `ThumbnailMade` or `ThumbnailRefused` in the history says how that ended.",
    security: [{ token: [] }],
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object" as const,
            required: ["choice"],
            properties: { choice: { enum: [1, 2, 3, null] } },
          },
        },
        "image/jpeg": binary,
        "image/png": binary,
        "image/webp": binary,
        "image/avif": binary,
      },
    },
  },
}
