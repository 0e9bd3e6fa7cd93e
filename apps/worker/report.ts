/** What a worker tells about its tasks: into the transcode's stream, in any order, under ids made of what is told. */
import { Effect, Schedule } from "effect"
import { transcodeStream } from "#domain/ids.ts"
import { nameOf } from "#domain/scheduling/decide.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"

type Tagged<Tag> = Extract<SchedulingEvent, { readonly _tag: Tag }>
export type Lease = Pick<Tagged<"TaskAssigned">, "videoId" | "taskId" | "attempt" | "worker">
export type Report = Tagged<"TaskEmitted" | "TaskSucceeded" | "TaskFailed" | "TaskReleased">

export const leaseOf = ({ videoId, taskId, attempt, worker }: Lease): Lease => ({
  videoId,
  taskId,
  attempt,
  worker,
})

/** What brought the task here, for the metadata of all that is told about it. */
export interface Origin {
  readonly correlationId: string
  readonly causationId: string
}

/** The store may be away for a while; whoever can't report for so long has lost the lease anyway. */
const untilItIsBack = Schedule.spaced("1 second").pipe(
  Schedule.jittered,
  Schedule.upTo({ duration: "10 minutes" }),
)

/** Told twice, recorded once. A single append is not interrupted, so that `told` runs if the log knows. */
export const tell = Effect.fnUntraced(function* (
  report: Report,
  origin: Origin,
  told: Effect.Effect<void> = Effect.void,
) {
  const store = yield* EventStore
  const stream = transcodeStream(report.videoId)
  const event = yield* envelope(stream, report, {
    // The same pair may be assigned again by another scheduler: its end is another event.
    cause: `${nameOf(report)} ${origin.causationId}`,
    actor: report.worker,
    ...origin,
  })
  yield* store.append(stream, "any", [event]).pipe(
    Effect.andThen(told),
    Effect.uninterruptible,
    Effect.retry({
      while: ({ _tag }) => _tag === "EventStoreUnavailable",
      schedule: untilItIsBack,
    }),
  )
})
