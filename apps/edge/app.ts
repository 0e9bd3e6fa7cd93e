/**
 * The video server: manifests, segments and images of what may be watched, under `/v/{videoId}/`.
 * It never asks Postgres: the log tells who may enter and what is there, the object store has the
 * bytes. What is held and on disk is answered at once, without a fiber.
 */
import { type Cause, type Duration, Effect } from "effect"
import type { EventStore } from "#infra/event-store/port.ts"
import type { ObjectStore } from "#infra/object-store/port.ts"
import type { Door } from "#projections/playback.ts"
import { type Address, addressOf, pathOf } from "./address.ts"
import { contentTypeOf, KEEP_AND_ASK, preflight, problem, serve } from "./answers.ts"
import { attachment } from "./attachment.ts"
import { type Cached, diskCache } from "./disk-cache.ts"
import { downloads } from "./downloads.ts"
import { type Found, find } from "./finding.ts"
import { holdVideos } from "./held-videos.ts"
import { operations } from "./operations.ts"

export interface EdgeOptions {
  readonly cell: string
  readonly cacheDirectory: string
  readonly cacheBytes: number
  readonly maxHeldVideos: number
  /** How long the first request for a video waits for the log. */
  readonly readTimeout: Duration.Input
}

type FoundObject = Extract<Found, { _tag: "Object" }>
type FoundDownload = Extract<Found, { _tag: "Download" }>

const sendObject = (request: Request, { key, cacheControl }: FoundObject, cached: Cached) =>
  serve(request, { ...cached, contentType: contentTypeOf(key), cacheControl })

const sendFound = (
  request: Request,
  found: Exclude<Found, FoundObject | FoundDownload>,
): Response => {
  if (found._tag === "Refused") {
    return problem(found.code, found.reason === undefined ? {} : { reason: found.reason })
  }
  return serve(request, {
    body: found.text,
    byteLength: Buffer.byteLength(found.text),
    etag: `"${Bun.hash(found.text).toString(36)}"`,
    contentType: contentTypeOf(found.name),
    cacheControl: KEEP_AND_ASK,
  })
}

const sortFailure = (failure: {
  readonly _tag: "VideoUnread" | "ObjectNotFound" | "ObjectStoreUnavailable"
}): Response => {
  switch (failure._tag) {
    case "VideoUnread":
      return problem("event_store_unavailable")
    case "ObjectNotFound":
      return problem("media_not_found")
    case "ObjectStoreUnavailable":
      return problem("object_store_unavailable")
  }
}

const sortCause = (cause: Cause.Cause<never>) =>
  Effect.as(Effect.logError("a request failed", cause), problem("unexpected"))

export const makeEdge = Effect.fn("makeEdge")(function* (options: EdgeOptions) {
  const context = yield* Effect.context<EventStore | ObjectStore>()
  const run = Effect.runPromiseWith(context)
  const videos = yield* holdVideos({
    cell: options.cell,
    maxHeld: options.maxHeldVideos,
    maxReading: 256,
    readTimeout: options.readTimeout,
  })
  const objects = yield* diskCache({
    directory: options.cacheDirectory,
    maxBytes: options.cacheBytes,
    maxFetching: 32,
  })
  const files = yield* downloads(objects)
  const desk = yield* operations(videos, objects)

  /** `null` when something has to be waited for. */
  const answerNow = (request: Request, address: Address): Response | null => {
    const door = videos.peek(address.videoId)
    if (door === undefined) return null
    const found = find(door, address)
    if (found._tag === "Download") return null
    if (found._tag !== "Object") return sendFound(request, found)
    const cached = objects.peek(found.key)
    return cached === undefined ? null : sendObject(request, found, cached)
  }

  const isDownload = (address: Address) => (door: Door) => find(door, address)._tag === "Download"

  const isOpen = (address: Address) => () => {
    const door = videos.peek(address.videoId)
    if (door !== undefined) return isDownload(address)(door)
    const asked = Effect.map(videos.find(address.videoId), isDownload(address))
    return run(Effect.catch(asked, () => Effect.succeed(false)))
  }

  const sendDownload = Effect.fnUntraced(function* (
    request: Request,
    address: Address,
    { run: ofRun, rung, title }: FoundDownload,
  ) {
    const file = yield* files.find(address.videoId, ofRun, rung)
    return serve(request, {
      body: (range) => files.stream(file, range, isOpen(address)),
      byteLength: file.byteLength,
      etag: file.etag,
      contentType: "video/mp4",
      cacheControl: KEEP_AND_ASK,
      disposition: attachment(title, rung),
    })
  })

  const answerLater = Effect.fn("answer")(
    function* (request: Request, address: Address) {
      const found = find(yield* videos.find(address.videoId), address)
      if (found._tag === "Download") return yield* sendDownload(request, address, found)
      if (found._tag !== "Object") return sendFound(request, found)
      const cached = yield* objects.find(found.key)
      // The door may have closed while the bytes were on their way.
      const now = find(yield* videos.find(address.videoId), address)
      return now._tag === "Refused" ? sendFound(request, now) : sendObject(request, found, cached)
    },
    Effect.catch((failure) => Effect.succeed(sortFailure(failure))),
    Effect.catchCause(sortCause),
  )

  const answer = (request: Request): Response | Promise<Response> => {
    const path = pathOf(request.url)
    const address = addressOf(path)
    if (request.method === "OPTIONS") return preflight()
    if (request.method !== "GET" && request.method !== "HEAD") return problem("method_not_allowed")
    if (address !== null) {
      return answerNow(request, address) ?? run(answerLater(request, address))
    }
    const told = desk.answer(path)
    if (told === null) return problem("bad_path")
    return told instanceof Response ? told : run(told)
  }

  const fetch = (request: Request): Response | Promise<Response> => {
    const answered = answer(request)
    return answered instanceof Response ? desk.count(answered) : answered.then(desk.count)
  }

  return { fetch }
})
