/** What happened to a video: every event of all its streams, in log order, its personal texts opened. */
import { Effect, Schema } from "effect"
import { writeEvent } from "#domain/events.ts"
import type { VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import type { Recorded } from "#infra/event-store/port.ts"
import type { Moment } from "./asker.ts"
import { lifeOf, until } from "./life.ts"
import type { Answer } from "./respond.ts"
import { openText } from "./shown-video.ts"

const isSealed = Schema.is(Sealed)

export const shownEvent = Effect.fnUntraced(function* (recorded: Recorded) {
  const { event, stream, revision, position, recordedAt, metadata } = recorded
  const place = { position, stream, revision, recordedAt: new Date(recordedAt).toISOString() }
  const asked = { actor: metadata.actor, correlationId: metadata.$correlationId }
  if (event._tag === "Unreadable") return { ...place, ...asked, type: event.type, data: null }
  const { type, data } = writeEvent(event)
  const opened = yield* Effect.forEach(Object.entries(data), ([name, value]) =>
    isSealed(value)
      ? openText(value).pipe(Effect.map((text) => [name, text] as const))
      : Effect.succeed([name, value] as const),
  )
  return { ...place, ...asked, type, data: Object.fromEntries(opened) }
})

export const showHistory = Effect.fn("showHistory")(function* (
  videoId: VideoId,
  moment: Moment | undefined,
) {
  const life = until(yield* lifeOf(videoId), moment)
  return { body: { videoId, events: yield* Effect.forEach(life, shownEvent) } } satisfies Answer
})
