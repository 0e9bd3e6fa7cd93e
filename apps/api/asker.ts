/** Who asks, when, and under which key: what each route needs to know of a request before its body. */
import { Clock, Effect, Schema } from "effect"
import { Position, Timestamp, VideoId } from "#domain/ids.ts"
import { VideoNotFound } from "#domain/video/video.ts"
import { type Actor, Identity } from "#infra/identity/port.ts"

export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {}) {}

export class BadQuery extends Schema.TaggedError<BadQuery>()("BadQuery", {
  issues: Schema.String,
}) {}

export const now = Clock.currentTimeMillis.pipe(Effect.map((millis) => Timestamp.make(millis)))

/** The actor of a request, when its credentials are good. Unsafe methods also compare the origin. */
export const whoAsks = Effect.fn("whoAsks")(function* (request: Request) {
  const who = yield* Identity
  const at = yield* now
  const isSafe = request.method === "GET" || request.method === "HEAD"
  const header = (name: string) => request.headers.get(name) ?? undefined
  const origin = isSafe ? undefined : header("origin")
  return who.actorOf(
    { authorization: header("authorization"), cookie: header("cookie"), origin },
    at,
  )
})

export interface Asker extends Actor {
  readonly at: Timestamp
  /** Names this request for ever: its events get ids made of it, so a repetition is the same. */
  readonly cause: string
  readonly key: string
  /** The revision named by `If-Match`. */
  readonly expected: number | undefined
}

/** For writes: refuses strangers. Without an Idempotency-Key each request is a new one. */
export const asker = Effect.fn("asker")(function* (request: Request) {
  const actor = yield* whoAsks(request)
  if (actor === undefined) return yield* new Unauthorized()
  const given = request.headers.get("idempotency-key")
  if (given !== null && (given.length === 0 || given.length > 200)) {
    return yield* new BadQuery({ issues: "Idempotency-Key has 1 to 200 characters" })
  }
  const key = given ?? crypto.randomUUID()
  const wanted = request.headers.get("if-match") ?? "*"
  const match = /^(?:W\/)?"(\d+)"$/.exec(wanted)?.[1]
  if (match === undefined && wanted !== "*") {
    return yield* new BadQuery({ issues: "If-Match takes the ETag of a video, or *" })
  }
  const { pathname } = new URL(request.url)
  return {
    ...actor,
    at: yield* now,
    key,
    cause: `${actor.accountId} ${request.method} ${pathname} ${key}`,
    expected: match === undefined ? undefined : Number(match),
  } satisfies Asker
})

/** An id from a path, null where its escapes are broken. What is no id names no video. */
export const videoIdOf = (text: string | null): Effect.Effect<VideoId, VideoNotFound> =>
  Schema.is(VideoId)(text)
    ? Effect.succeed(text)
    : Effect.fail(new VideoNotFound({ videoId: (text ?? "").slice(0, 40) }))

/** `after=` and `at=` as positions; `at=` also takes a time. */
export const positionOf = (text: string | null): Effect.Effect<Position | undefined, BadQuery> => {
  if (text === null) return Effect.succeed(undefined)
  return Schema.is(Position)(text)
    ? Effect.succeed(text)
    : Effect.fail(new BadQuery({ issues: "a position is a decimal number" }))
}

export type Moment = { readonly position: Position } | { readonly time: number }

export const momentOf = (text: string | null): Effect.Effect<Moment | undefined, BadQuery> => {
  if (text === null) return Effect.succeed(undefined)
  if (Schema.is(Position)(text)) return Effect.succeed({ position: text })
  const time = Date.parse(text)
  return Number.isNaN(time)
    ? Effect.fail(new BadQuery({ issues: "at= takes a position or an ISO 8601 time" }))
    : Effect.succeed({ time })
}
