/**
 * Office in a cell: one append to `scheduler-{cell}` at the exact revision. The epoch is the place
 * of the election in that stream, so it grows even when older events have expired from the log.
 */
import { Effect } from "effect"
import { type Cell, schedulerStream } from "#domain/ids.ts"
import { chained } from "#infra/event-store/chain.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { type Desk, isBusy, keepTail } from "./desk.ts"
import { append, causeOf } from "./recording.ts"

/** Beats (seconds) without a scheduler's word before a standby takes over, and one more per rank. */
const PATIENCE = { busy: 3, idle: 90 }
/** Beats between the ticks of an idle cell. */
export const IDLE_BEATS = 30

/** Whether the one in office has been silent for too long. Called once a beat. */
export const isOfficeSilent = (desk: Desk, rank: number): boolean => {
  const busy = isBusy(desk)
  // An idle scheduler speaks seldom: its silence counts from when there was something to do.
  if (busy && !desk.wasBusy) desk.quietBeats = 0
  desk.wasBusy = busy
  desk.quietBeats++
  return desk.quietBeats > (busy ? PATIENCE.busy : PATIENCE.idle) + rank
}

/** Answers the epoch won, or undefined: somebody else was faster, or more has to be read first. */
export const stand = Effect.fnUntraced(function* (desk: Desk, cell: Cell) {
  const store = yield* EventStore
  const stream = schedulerStream(cell)
  const [last] = yield* store.read(stream, { backwards: true, maxCount: 1 })
  const known = desk.tails.get(stream)
  if (last !== undefined && last.revision > (known?.revision ?? -1)) return undefined

  const attempt = Effect.fnUntraced(function* (revision: number) {
    const epoch = revision + 2
    const event = { _tag: "SchedulerStarted", cell, epoch } as const
    const proposed = yield* envelope(stream, event, causeOf(desk, event))
    const linked = chained([proposed], known)
    const appended = yield* store.append(stream, revision < 0 ? "none" : revision, linked)
    for (const won of linked) keepTail(desk, { ...won, ...appended, stream, recordedAt: 0 })
    return epoch
  })
  return yield* attempt(known?.revision ?? -1).pipe(
    // All of the stream has expired: the conflict tells where it ended.
    Effect.catchTag("RevisionConflict", (conflict) =>
      known === undefined && last === undefined
        ? attempt(conflict.actual)
        : Effect.succeed(undefined),
    ),
    Effect.catchTag("RevisionConflict", () => Effect.succeed(undefined)),
  )
})

/** One tick; a conflict means that another one is in office. */
export const tick = Effect.fnUntraced(function* (desk: Desk, cell: Cell, epoch: number) {
  const stream = schedulerStream(cell)
  const event = { _tag: "SchedulerTicked", cell, epoch } as const
  // The same revision gives the same id until it is acknowledged.
  const name = `SchedulerTicked ${(desk.tails.get(stream)?.revision ?? -1) + 1}`
  yield* append(desk, stream, [{ event, cause: causeOf(desk, event, name) }])
})
