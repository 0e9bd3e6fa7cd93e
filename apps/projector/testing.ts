/** Histories for the projector's tests: many lives of videos, appended as their writers would. */
import { Effect } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import type { StreamName } from "#domain/ids.ts"
import { EventStore, type NewEvent } from "#infra/event-store/port.ts"
import { factsOf } from "#projections/testing.ts"
import { lifeOf, media, rungs } from "#projections/testing-events.ts"

const metadata = {
  $correlationId: "c",
  $causationId: "c",
  actor: "owner",
  region: "local",
  version: 1,
}

const newEvent = (event: DomainEvent): NewEvent => ({ id: crypto.randomUUID(), event, metadata })

/** Appends each event to its stream, one after the other; answers where the last one stands. */
export const happen = Effect.fn("happen")(function* (...events: ReadonlyArray<DomainEvent>) {
  const store = yield* EventStore
  const appends: Array<{ readonly stream: StreamName; readonly events: Array<NewEvent> }> = []
  for (const { event, stream } of factsOf(events)) {
    const last = appends.at(-1)
    if (last?.stream === stream) last.events.push(newEvent(event))
    else appends.push({ stream, events: [newEvent(event)] })
  }
  let position = "0"
  for (const { stream, events: together } of appends) {
    position = (yield* store.append(stream, "any", together)).position
  }
  return position
})

/** A video from its creation to its publication. */
export const wholeLife = (n: number): ReadonlyArray<DomainEvent> => {
  const life = lifeOf(n)
  return [
    life.created,
    life.requested,
    life.received(1),
    life.planned,
    life.assigned("inspect"),
    life.succeeded("inspect", { media, rungs }),
    life.emitted("split", { n: 0, from: 0, to: 540_000, groups: ["all"] }),
    life.received(2),
    life.uploaded,
    life.succeeded("split"),
    life.succeeded("encode-video:all/0"),
    life.playable,
    life.succeeded("encode-audio"),
    life.published,
  ]
}
