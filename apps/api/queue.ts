/**
 * The three queues, held as a live fold of the log: the API reads what the scheduler reads and
 * derives the same, so nobody has to be asked and nothing can disagree.
 */
import { Context, Effect, Layer, Stream } from "effect"
import { evolve } from "#domain/scheduling/evolve.ts"
import { queueFactOf } from "#domain/scheduling/queue-fact.ts"
import { noQueues, type Queues } from "#domain/scheduling/queues.ts"
import { queuesView } from "#domain/scheduling/view.ts"
import { EventStore } from "#infra/event-store/port.ts"
import type { Answer } from "./respond.ts"
import { ApiSettings } from "./settings.ts"

export const COMPLETION_GROUP = "completion"

interface Held {
  queues: Queues
  position: string
}

export class LiveQueues extends Context.Service<
  LiveQueues,
  { readonly now: Effect.Effect<Held> }
>()("apps/api/LiveQueues") {}

export const liveQueues = Layer.effect(
  LiveQueues,
  Effect.gen(function* () {
    const store = yield* EventStore
    const { cell } = yield* ApiSettings
    const held: Held = { queues: noQueues(), position: "0" }
    const streams = ["transcode", "worker", "inbox", "scheduler", "upload"].map(
      (kind) => `${kind}-${cell}`,
    )
    yield* store.follow({ filter: { streams } }).pipe(
      Stream.runForEach((news) =>
        Effect.sync(() => {
          if (news._tag === "CaughtUp") return
          if (news._tag === "Checkpoint") {
            held.position = news.position
            return
          }
          const { event, position, revision } = news.recorded
          held.position = position
          const fact = event._tag === "Unreadable" ? undefined : queueFactOf(event, revision)
          if (fact !== undefined) held.queues = evolve(held.queues, fact)
        }),
      ),
      Effect.forkScoped,
    )
    return LiveQueues.of({ now: Effect.sync(() => held) })
  }),
)

export const showQueue = Effect.fn("showQueue")(function* () {
  const live = yield* LiveQueues
  const store = yield* EventStore
  const { queues, position } = yield* live.now
  const group = yield* store.groupState(COMPLETION_GROUP)
  const completionQueue = group ?? {
    name: COMPLETION_GROUP,
    backlog: 0,
    inFlight: 0,
    parked: 0,
    connections: 0,
  }
  return { body: { position, ...queuesView(queues), completionQueue } } satisfies Answer
})
