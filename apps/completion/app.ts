/**
 * The completion handler: milestones of transcodes become events of videos. It competes with others
 * of its kind for a persistent subscription, so one that dies costs nothing; what it can't handle
 * after 10 tries is parked and shown.
 */
import { Duration, Effect, Stream } from "effect"
import { type Delivery, EventStore, type Group } from "#infra/event-store/port.ts"
import { confirmAll } from "./confirming.ts"
import { clean, MILESTONES, settle } from "./settling.ts"

export const completionGroup: Group = {
  name: "completion",
  filter: { types: MILESTONES },
  maxRetryCount: 10,
  messageTimeoutMillis: 60_000,
}

const IN_FLIGHT = 32
const AT_ONCE = 8

/** Before it is given back, so that ten tries outlast a restart. */
const pauseAfter = (retryCount: number) =>
  Duration.min(Duration.millis(100 * 2 ** retryCount), Duration.seconds(10))

const handle = Effect.fn("completion")(function* (delivery: Delivery) {
  const { recorded, retryCount } = delivery
  if (recorded.event._tag === "Unreadable") {
    yield* delivery.park(recorded.event.issue)
    return
  }
  yield* settle(recorded).pipe(
    Effect.andThen(
      // The reader behind deletes again: no reason to keep the video waiting.
      Effect.catch(clean(recorded), (failure) =>
        Effect.logWarning("could not delete what remains", recorded.id, failure),
      ),
    ),
    Effect.matchEffect({
      onSuccess: () => delivery.ack,
      onFailure: (failure) =>
        Effect.logWarning("could not settle a milestone", recorded.id, failure).pipe(
          Effect.andThen(Effect.sleep(pauseAfter(retryCount))),
          Effect.andThen(delivery.retry(failure._tag)),
        ),
    }),
  )
})

/** Runs until it is interrupted. */
export const completion = Effect.gen(function* () {
  const store = yield* EventStore
  const handleAll = store.consume(completionGroup, IN_FLIGHT).pipe(
    Stream.mapEffect(
      (delivery) =>
        // Without an answer it comes again.
        Effect.catchTag(handle(delivery), "EventStoreUnavailable", (failure) =>
          Effect.logWarning("could not answer a delivery", failure),
        ),
      { concurrency: AT_ONCE, unordered: true },
    ),
    Stream.runDrain,
  )
  yield* Effect.all([handleAll, confirmAll], { concurrency: "unbounded", discard: true })
})
