/**
 * A channel's watermark: an image, or a text such as the owner's name, and where it lies. What it is
 * of is put into the object store, looked at only so far as to tell that it is an image; a worker
 * makes a picture of it, and from then on new videos carry it.
 */
import { Effect, Result, Schema } from "effect"
import { channel } from "#domain/channel/channel.ts"
import {
  Corner,
  evolveMarks,
  isWaiting,
  type Marks,
  noMarks,
  Placement,
  usualPlacement,
  type Wish,
} from "#domain/channel/watermark.ts"
import { type ChannelId, channelStream } from "#domain/ids.ts"
import { watermarkSource } from "#domain/keys.ts"
import { sniffImage } from "#domain/video/still-image.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { Identity } from "#infra/identity/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import type { Asker } from "./asker.ts"
import { MOST_IMAGE_BYTES } from "./gate.ts"
import { ownChannel } from "./pipelines.ts"
import type { Answer } from "./respond.ts"
import { NotAnImage } from "./thumbnails.ts"

const MOST_LETTERS = 60

/** A line: letters of any script, and what joins them. */
const Text = Schema.Trim.check(
  Schema.isMinLength(1),
  Schema.makeFilter(
    (text: string) =>
      ([...text].length <= MOST_LETTERS && !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text)) ||
      `a line of at most ${MOST_LETTERS} letters`,
  ),
)

const { opacity, size, margin } = Placement.fields
const wishes = {
  corner: Schema.optionalKey(Corner),
  opacity: Schema.optionalKey(opacity),
  size: Schema.optionalKey(size),
  margin: Schema.optionalKey(margin),
}
const TextForm = Schema.fromJsonString(Schema.Struct({ text: Schema.optionalKey(Text), ...wishes }))
const strictly = { onExcessProperty: "error" } as const
const readText = Schema.decodeUnknownResult(TextForm, strictly)
const readPlacement = Schema.decodeUnknownResult(Schema.Struct(wishes), strictly)

export class InvalidWatermark extends Schema.TaggedError<InvalidWatermark>()("InvalidRequest", {
  issues: Schema.Array(Schema.String),
}) {}
/** Nothing that could be moved. */
export class WatermarkNotFound extends Schema.TaggedError<WatermarkNotFound>()(
  "WatermarkNotFound",
  {},
) {}

const orInvalid = <A>(read: Result.Result<A, Schema.SchemaError>) =>
  Effect.fromResult(
    Result.mapError(read, ({ message }) => new InvalidWatermark({ issues: message.split("\n") })),
  )

const marksOf = Effect.fnUntraced(function* (channelId: ChannelId) {
  const store = yield* EventStore
  const history = yield* store.read(channelStream(channelId))
  const marks = history.reduce((known: Marks, { event }) => {
    switch (event._tag) {
      case "WatermarkSet":
      case "WatermarkMade":
      case "WatermarkRefused":
        return evolveMarks(known, event)
      default:
        return known
    }
  }, noMarks)
  return { marks, revision: history.at(-1)?.revision ?? -1 }
})

const stateOf = (marks: Marks) => {
  if (marks.refused !== null) return { state: "refused", code: marks.refused }
  return { state: isWaiting(marks) ? "processing" : "made" }
}

/** Whoever has not read the file does not know the text: it is in the pictures alone. */
const shown = (channelId: ChannelId, marks: Marks) => ({
  channelId,
  watermark: marks.wish === null ? null : { ...marks.wish, ...stateOf(marks) },
})

const set = Effect.fnUntraced(function* (
  channelId: ChannelId,
  watermark: Wish | null,
  { accountId: actor, at, cause, expected }: Asker,
) {
  const context = { cause, correlationId: channelId, actor }
  const recorded = yield* execute(
    channel,
    { _tag: "SetWatermark", channelId, actor, watermark, at },
    expected === undefined ? context : { ...context, expected },
  )
  const { marks } = yield* marksOf(channelId)
  const status = isWaiting(marks) ? 202 : 200
  return { ...recorded, status, body: shown(channelId, marks) } satisfies Answer
})

/** Laid there first, told then: a worker that hears of it finds it. */
const keepSource = Effect.fnUntraced(function* (
  channelId: ChannelId,
  { shown: known }: Marks,
  mark: string,
  bytes: Uint8Array,
) {
  if (known?.mark === mark) return
  const objects = yield* ObjectStore
  yield* objects.put(watermarkSource(channelId, mark), bytes, {
    contentType: "application/octet-stream",
  })
})

const setText = Effect.fnUntraced(function* (channelId: ChannelId, body: string, asker: Asker) {
  const { text, ...wished } = yield* orInvalid(readText(body))
  const { marks } = yield* marksOf(channelId)
  if (text === undefined) {
    if (marks.wish === null || marks.refused !== null) return yield* new WatermarkNotFound()
    return yield* set(channelId, { ...marks.wish, ...wished }, asker)
  }
  const { requestHash } = yield* Identity
  // Keyed: a name is not to be guessed from it.
  const mark = requestHash(["watermark", text]).slice(0, 16)
  yield* keepSource(channelId, marks, mark, new TextEncoder().encode(text))
  return yield* set(channelId, { ...usualPlacement, ...wished, mark, kind: "text" }, asker)
})

const numbers = new Set(["opacity", "size", "margin"])

const setImage = Effect.fnUntraced(function* (
  channelId: ChannelId,
  bytes: Uint8Array,
  query: URLSearchParams,
  asker: Asker,
) {
  const told = [...query].map(([name, value]) => [name, numbers.has(name) ? +value : value])
  const wished = yield* orInvalid(readPlacement(Object.fromEntries(told)))
  if (sniffImage(bytes) === null) return yield* new NotAnImage()
  const { marks } = yield* marksOf(channelId)
  const mark = new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 16)
  yield* keepSource(channelId, marks, mark, bytes)
  return yield* set(channelId, { ...usualPlacement, ...wished, mark, kind: "image" }, asker)
})

export const putWatermark = Effect.fn("putWatermark")(function* (
  id: string | null,
  request: Request,
  asker: Asker,
) {
  const channelId = yield* ownChannel(id, asker)
  const bytes = new Uint8Array(yield* Effect.promise(() => request.arrayBuffer()))
  const isText = /^application\/json *(;|$)/i.test(request.headers.get("content-type") ?? "")
  return yield* isText
    ? setText(channelId, new TextDecoder().decode(bytes), asker)
    : setImage(channelId, bytes, new URL(request.url).searchParams, asker)
})

export const removeWatermark = Effect.fn("removeWatermark")(function* (
  id: string | null,
  asker: Asker,
) {
  return yield* set(yield* ownChannel(id, asker), null, asker)
})

export const showWatermark = Effect.fn("showWatermark")(function* (
  id: string | null,
  asker: Pick<Asker, "channelId">,
) {
  const channelId = yield* ownChannel(id, asker)
  const { marks, revision } = yield* marksOf(channelId)
  return { revision, body: shown(channelId, marks) } satisfies Answer
})

const binary = {
  schema: { type: "string" as const, contentEncoding: "binary", maxLength: MOST_IMAGE_BYTES },
}
const placement = {
  corner: { enum: [...Corner.literals], default: usualPlacement.corner },
  opacity: { type: "number" as const, minimum: 0.05, maximum: 1, default: usualPlacement.opacity },
  size: { type: "number" as const, minimum: 0.01, maximum: 0.5, default: usualPlacement.size },
  margin: { type: "number" as const, minimum: 0, maximum: 0.25, default: usualPlacement.margin },
}

/** Read here: what an image calls itself means nothing. */
export const watermarkBody = {
  parse: "none" as const,
  detail: {
    summary:
      "Lay an image (JPEG, PNG, WebP, AVIF; placed by the query: corner, opacity, size, margin) or a line of text over the channel's new videos (If-Match)",
    description:
      "`size` and `margin` are shares of the picture's shorter side; a mark is at most half as wide as the picture. JSON without `text` moves the mark there is. Videos that were made before keep their renditions until they are asked for anew.",
    security: [{ token: [] }],
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object" as const,
            properties: {
              text: { type: "string" as const, minLength: 1, maxLength: MOST_LETTERS },
              ...placement,
            },
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
