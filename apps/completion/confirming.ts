/**
 * A slow reader of the same milestones, a minute behind the consumers of the group: confirms that
 * none was skipped, and deletes again what a worker that was stopped may have written since. How
 * far it has come lies in the object store; without that it begins with the first event.
 */
import { Effect, Schedule, Schema, Stream } from "effect"
import { isAfter, Position } from "#domain/ids.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { clean, lastRevision, MILESTONES, settle } from "./settling.ts"

const CHECKPOINT_KEY = "checkpoints/completion.json"
const BEHIND = "1 minute"

const Checkpoint = Schema.fromJsonString(Schema.Struct({ position: Position }))

const readCheckpoint = Effect.gen(function* () {
  const objects = yield* ObjectStore
  const bytes = yield* objects.get(CHECKPOINT_KEY)
  const { position } = yield* Schema.decodeEffect(Checkpoint)(new TextDecoder().decode(bytes))
  return position as string
}).pipe(
  // An unreadable one is as good as none: everything is confirmed again.
  Effect.catchTag(["ObjectNotFound", "SchemaError"], () => Effect.succeed(undefined)),
)

const writeCheckpoint = Effect.fnUntraced(function* (position: string) {
  const objects = yield* ObjectStore
  const body = new TextEncoder().encode(JSON.stringify({ position }))
  yield* objects.put(CHECKPOINT_KEY, body, { contentType: "application/json", overwrite: true })
})

const confirm = Effect.fnUntraced(
  function* (recorded: Recorded) {
    const { event } = recorded
    if (event._tag === "Unreadable" || !("videoId" in event)) return
    const before = yield* lastRevision(event.videoId)
    yield* settle(recorded)
    const after = yield* lastRevision(event.videoId)
    if (after > before) yield* Effect.logError("a milestone was late or skipped", event)
    yield* clean(recorded)
  },
  (confirming, recorded) =>
    confirming.pipe(
      // What can't be settled is parked by the group, and shown there.
      Effect.catchTag(["VideoNotFound", "RequestDiffers", "StreamUnreadable"], (failure) =>
        Effect.logError("a milestone can't be settled", recorded.id, failure),
      ),
    ),
)

const untilTheyAreBack = Schedule.jittered(Schedule.spaced("10 seconds"))

/** Runs until it is interrupted. */
export const confirmAll = Effect.gen(function* () {
  const store = yield* EventStore
  let position = yield* Effect.retry(readCheckpoint, untilTheyAreBack)

  const round = Effect.gen(function* () {
    const end = yield* store.end
    yield* Effect.sleep(BEHIND)
    const from = position
    const confirmed = yield* store
      .readAll({ filter: { types: MILESTONES }, ...(from !== undefined && { after: from }) })
      .pipe(
        Stream.takeWhile((recorded) => !isAfter(recorded.position, end)),
        Stream.mapEffect((recorded) => Effect.as(confirm(recorded), recorded.position)),
        Stream.runCollect,
      )
    if (confirmed.length > 0) yield* writeCheckpoint(end)
    position = end
  })
  return yield* round.pipe(
    Effect.tapError((failure) => Effect.logWarning("could not confirm milestones", failure)),
    Effect.retry(untilTheyAreBack),
    Effect.forever,
  )
})
