/** The parts of an upload: which are missing, which have arrived, and that all are there. */
import { Effect, Schema } from "effect"
import { VideoId } from "#domain/ids.ts"
import { sourcePart } from "#domain/keys.ts"
import { ReceivedPart, type UploadEvent } from "#domain/upload/events.ts"
import { missingParts, UploadNotFound, upload } from "#domain/upload/upload.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import type { Asker } from "./asker.ts"
import { withUrls } from "./creation.ts"
import type { Answer } from "./respond.ts"
import { ApiSettings } from "./settings.ts"

const hash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

export const PartsForm = Schema.Struct({
  parts: Schema.Array(
    Schema.Struct({ ...ReceivedPart.fields, sha256: Schema.optionalKey(hash) }),
  ).check(Schema.isMinLength(1), Schema.isMaxLength(1000)),
})
export type PartsForm = typeof PartsForm.Type

/** Said by a client whose PUT found the object there already and so was told no ETag. */
const ANY_ETAG = "*"

export class PartMissing extends Schema.TaggedError<PartMissing>()("PartMissing", {
  videoId: VideoId,
  number: Schema.Int,
}) {}
/** Another length or ETag than was said: the object in the store is not that part. */
export class PartDiffers extends Schema.TaggedError<PartDiffers>()("PartDiffers", {
  videoId: VideoId,
  number: Schema.Int,
}) {}

/** These are not the bytes that the client sent. They are gone, so that the part can be sent again. */
export class PartHashDiffers extends Schema.TaggedError<PartHashDiffers>()("PartHashDiffers", {
  videoId: VideoId,
  number: Schema.Int,
}) {}

const uploadNow = Effect.fn("uploadNow")(function* (videoId: VideoId) {
  const store = yield* EventStore
  const history = yield* store.read(
    upload.stream({ _tag: "CompleteUpload", videoId, at: 0 as never }),
  )
  const state = history.reduce(
    (known, { event }) => upload.evolve(known, event as UploadEvent),
    upload.initial,
  )
  return state._tag === "Absent" ? yield* new UploadNotFound({ videoId }) : state
})

/** What a client that comes back has to send, with fresh URLs. */
export const showUpload = Effect.fn("showUpload")(function* (videoId: VideoId, asker: Asker) {
  const { partUrlSeconds } = yield* ApiSettings
  const state = yield* uploadNow(videoId)
  const missing = state._tag === "Receiving" ? missingParts(state) : []
  return {
    body: {
      videoId,
      state: state._tag.toLowerCase(),
      byteLength: state.byteLength,
      partCount: state.parts.size,
      missingCount: missing.length,
      missing: yield* withUrls(videoId, missing),
      expiresAt: new Date(asker.at + partUrlSeconds * 1000).toISOString(),
    },
  } satisfies Answer
})

/** Records parts once the object store confirms each one's length, ETag, and hash where it knows that. */
export const receiveParts = Effect.fn("receiveParts")(function* (
  videoId: VideoId,
  form: PartsForm,
  { accountId, at, cause }: Asker,
) {
  const objects = yield* ObjectStore
  const state = yield* uploadNow(videoId)
  const confirm = Effect.fnUntraced(function* ({ number, etag, ...rest }: ReceivedPart) {
    const part = state.parts.get(number)
    // A part that is unknown or known already is the decider's business.
    if (part === undefined || state.received.has(number)) return { number, etag, ...rest }
    const key = sourcePart(videoId, number)
    const found = yield* objects
      .head(key)
      .pipe(Effect.catchTag("ObjectNotFound", () => new PartMissing({ videoId, number })))
    const bare = (text: string) => text.replaceAll('"', "")
    const isSame = etag === ANY_ETAG || bare(found.etag) === bare(etag)
    if (found.byteLength !== part.length || !isSame) {
      return yield* new PartDiffers({ videoId, number })
    }
    const known = found.sha256
    if (known !== undefined && rest.sha256 !== undefined && known !== rest.sha256) {
      // A PUT takes nothing where something is.
      yield* objects.remove([key])
      return yield* new PartHashDiffers({ videoId, number })
    }
    return { number, etag: found.etag, ...rest }
  })
  const parts = yield* Effect.forEach(form.parts, confirm, { concurrency: 16 })
  const { position } = yield* execute(
    upload,
    { _tag: "ReceiveParts", videoId, parts, at },
    { cause, correlationId: videoId, actor: accountId },
  )
  return { position, body: { videoId, received: form.parts.length } } satisfies Answer
})

export const completeUpload = Effect.fn("completeUpload")(function* (
  videoId: VideoId,
  { accountId, at, cause }: Asker,
) {
  const { position } = yield* execute(
    upload,
    { _tag: "CompleteUpload", videoId, at },
    { cause, correlationId: videoId, actor: accountId },
  )
  return { position, body: { videoId, state: "processing" } } satisfies Answer
})
