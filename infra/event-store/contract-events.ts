/** Events for the tests of event stores: each test has streams of its own, so that it can run again on a store that keeps them. */
import { Effect, type Layer } from "effect"
import { Timestamp, takedownStream, VideoId } from "#domain/ids.ts"
import type { TakedownEvent } from "#domain/takedown/events.ts"
import { envelope } from "./execute.ts"
import { EventStore } from "./port.ts"

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

export const anyVideo = (cell = "tst") => {
  const random = crypto.getRandomValues(new Uint8Array(16))
  return VideoId.make(cell + Array.from(random, (byte) => ALPHABET[byte & 31]).join(""))
}

export const lifted = (videoId: VideoId): TakedownEvent => ({
  _tag: "TakedownLifted",
  videoId,
  at: Timestamp.make(1_700_000_000_000),
  actor: "moderator",
})

export const ordered = (videoId: VideoId): TakedownEvent => ({
  _tag: "TakedownOrdered",
  videoId,
  at: Timestamp.make(1_700_000_000_000),
  actor: "moderator",
  reason: "spam",
  note: null,
})

/** `count` events for the stream of one case, with ids of their own. */
export const someEvents = (videoId: VideoId, count: number, cause = crypto.randomUUID()) =>
  Effect.forEach(Array.from({ length: count }).keys(), (index) =>
    envelope(takedownStream(videoId), lifted(videoId), { cause, actor: "test" }, index),
  )

export const fill = Effect.fnUntraced(function* (videoId: VideoId, count: number) {
  const store = yield* EventStore
  const events = yield* someEvents(videoId, count)
  return yield* store.append(takedownStream(videoId), "any", events)
})

export const runWith =
  (layer: Layer.Layer<EventStore, unknown>) =>
  <A, E>(effect: Effect.Effect<A, E, EventStore>) =>
    Effect.runPromise(Effect.provide(effect, layer) as Effect.Effect<A, E>)
