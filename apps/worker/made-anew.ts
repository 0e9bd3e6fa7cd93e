/**
 * Images that owners uploaded, made anew one at a time. They belong to no transcode, so no scheduler
 * assigns them: workers compete for them in a group. Redelivered, an image comes to the same objects
 * and the same event.
 */
import { Duration, Effect, Schema, Stream } from "effect"
import { Timestamp } from "#domain/ids.ts"
import type { Cause } from "#infra/event-store/execute.ts"
import { type Delivery, EventStore, type Group, type Recorded } from "#infra/event-store/port.ts"
import { ImageRefused } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"

/** Then the owner is told that it did not work, rather than nothing. */
const TRIES = 5
const PAUSE = Duration.seconds(1)

/** The source is gone where the image was made before: whoever came first has said so. */
class ImageLost extends Schema.TaggedError<ImageLost>()("ImageLost", {}) {}

/** What an event asks for. */
export interface Order<Command, Unmade, MakerNeeds, Untold, TellerNeeds> {
  /** The key of what was uploaded: deleted when its end is told. */
  readonly source: string
  readonly make: (bytes: Uint8Array, at: Timestamp) => Effect.Effect<Command, Unmade, MakerNeeds>
  readonly refuse: (code: string, at: Timestamp) => Command
  readonly tell: (command: Command, cause: Cause) => Effect.Effect<unknown, Untold, TellerNeeds>
}

type Tagged = { readonly _tag: string }

const refusalOf = (failure: Tagged) => (failure instanceof ImageRefused ? failure.code : "not_made")

const isFinal = (failure: Tagged, tries: number) =>
  failure._tag === "ImageRefused" || failure._tag === "ImageLost" || tries + 1 >= TRIES

const causeOf = ({ id, metadata }: Recorded): Cause => ({
  cause: id,
  correlationId: metadata.$correlationId,
  causationId: id,
  actor: "worker",
})

/** Runs until it is interrupted. */
export const madeAnew = <Command, Unmade extends Tagged, M, Untold extends Tagged, T>(
  group: Group,
  orderOf: (recorded: Recorded) => Order<Command, Unmade, M, Untold, T> | undefined,
) => {
  const handle = Effect.fn(group.name)(function* (delivery: Delivery) {
    const { recorded, retryCount } = delivery
    const order = orderOf(recorded)
    if (order === undefined) return yield* delivery.ack
    const objects = yield* ObjectStore
    const at = Timestamp.make(Math.trunc(recorded.recordedAt))
    yield* objects.get(order.source).pipe(
      Effect.catchTag("ObjectNotFound", () => Effect.fail(new ImageLost())),
      Effect.flatMap((bytes) => order.make(bytes, at)),
      Effect.catchIf(
        (failure) => isFinal(failure, retryCount),
        (failure) => Effect.succeed(order.refuse(refusalOf(failure), at)),
      ),
      Effect.flatMap((command) => order.tell(command, causeOf(recorded))),
      Effect.andThen(objects.remove([order.source])),
      Effect.andThen(delivery.ack),
      Effect.catch((failure) =>
        Effect.logWarning("could not make an image", recorded.id, failure).pipe(
          Effect.andThen(Effect.sleep(PAUSE)),
          Effect.andThen(delivery.retry(failure._tag)),
        ),
      ),
    )
  })

  return Effect.gen(function* () {
    const store = yield* EventStore
    yield* store.consume(group, 1).pipe(
      Stream.runForEach((delivery) =>
        // Without an answer it comes again.
        Effect.catchTag(handle(delivery), "EventStoreUnavailable", (failure) =>
          Effect.logWarning("could not answer a delivery", failure),
        ),
      ),
    )
  })
}
