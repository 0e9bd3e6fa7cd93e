/**
 * Asking for a video: `VideoCreated` is appended first, then `UploadRequested`, under ids derived
 * from account and Idempotency-Key, so that a retry finishes a half. Bytes never come here: the
 * answer permits the client to PUT each part into the object store by itself.
 */
import { Effect, Schema } from "effect"
import type { VideoId } from "#domain/ids.ts"
import { sourcePart } from "#domain/keys.ts"
import { MPD } from "#domain/transcode/dash.ts"
import type { Part } from "#domain/upload/events.ts"
import { MOST_PARTS, upload } from "#domain/upload/upload.ts"
import { Visibility } from "#domain/video/events.ts"
import { video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import { Identity } from "#infra/identity/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { PersonalData } from "#infra/personal-data/port.ts"
import type { Asker } from "./asker.ts"
import type { Answer } from "./respond.ts"
import { ApiSettings } from "./settings.ts"

export const PART_BYTES = 8 * 2 ** 20
/** Signed at once; the rest are asked for by `GET /videos/{id}/upload`. */
export const URLS_AT_ONCE = 1000

export class SourceTooLarge extends Schema.TaggedError<SourceTooLarge>()("SourceTooLarge", {
  limit: Schema.Int,
}) {}
export class SourceEmpty extends Schema.TaggedError<SourceEmpty>()("SourceEmpty", {}) {}

const count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const line = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))

export const VideoForm = Schema.Struct({
  title: line,
  description: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(10_000))),
  visibility: Schema.optionalKey(Visibility),
  fileName: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(1024)),
  byteLength: count,
  parts: Schema.optionalKey(
    Schema.Array(Schema.Struct({ offset: count, length: count })).check(
      Schema.isMaxLength(MOST_PARTS),
    ),
  ),
})
export type VideoForm = typeof VideoForm.Type

/** Parts of 8 MiB in the order of the file, for a client that names none. */
export const plainParts = (byteLength: number): ReadonlyArray<{ offset: number; length: number }> =>
  Array.from({ length: Math.ceil(byteLength / PART_BYTES) }, (_, index) => {
    const offset = index * PART_BYTES
    return { offset, length: Math.min(PART_BYTES, byteLength - offset) }
  })

/** A part with the permission to PUT it: exactly these bytes' count, once. */
export const withUrls = Effect.fn("withUrls")(function* (
  videoId: VideoId,
  parts: ReadonlyArray<Part>,
) {
  const objects = yield* ObjectStore
  const { partUrlSeconds: expiresSeconds } = yield* ApiSettings
  return yield* Effect.forEach(parts.slice(0, URLS_AT_ONCE), (part) =>
    objects
      .presignPut({
        key: sourcePart(videoId, part.number),
        byteLength: part.length,
        expiresSeconds,
      })
      .pipe(Effect.map((url) => ({ ...part, url: url.href, headers: { "if-none-match": "*" } }))),
  )
})

export const createVideo = Effect.fn("createVideo")(function* (form: VideoForm, asker: Asker) {
  const { maxUploadBytes, cell, centre, partUrlSeconds, publicUrl, edgeUrl } = yield* ApiSettings
  const { byteLength, title, fileName, description } = form
  if (byteLength > maxUploadBytes) return yield* new SourceTooLarge({ limit: maxUploadBytes })
  if (byteLength === 0) return yield* new SourceEmpty()

  const who = yield* Identity
  const personal = yield* PersonalData
  const { accountId, channelId, at, cause } = asker
  const videoId = who.videoIdFor(cell, accountId, asker.key)
  const parts = (form.parts ?? plainParts(byteLength)).map((part, index) => ({
    number: index + 1,
    ...part,
  }))
  const context = { cause: `${cause} ${videoId}`, correlationId: videoId, actor: accountId }
  const seal = (text: string) => personal.seal(accountId, text)

  const created = yield* execute(
    video,
    {
      _tag: "CreateVideo",
      videoId,
      at,
      channelId,
      accountId,
      title: yield* seal(title),
      description: description === undefined ? null : yield* seal(description),
      visibility: form.visibility ?? "public",
      request: who.requestHash(form),
    },
    context,
  )
  const requested = yield* execute(
    upload,
    {
      _tag: "RequestUpload",
      videoId,
      at,
      channelId,
      fileName: yield* seal(fileName),
      byteLength,
      parts,
      centre,
    },
    { ...context, cause: `${context.cause} upload` },
  )

  return {
    status: 201,
    position: requested.position,
    revision: created.revision,
    headers: { location: `/v1/videos/${videoId}` },
    body: {
      videoId,
      state: "uploading",
      title,
      watchUrl: `${publicUrl}/watch/${videoId}`,
      hlsUrl: `${edgeUrl}/v/${videoId}/main.m3u8`,
      dashUrl: `${edgeUrl}/v/${videoId}/${MPD}`,
      centre,
      partCount: parts.length,
      parts: yield* withUrls(videoId, parts),
      expiresAt: new Date(at + partUrlSeconds * 1000).toISOString(),
    },
  } satisfies Answer
})
