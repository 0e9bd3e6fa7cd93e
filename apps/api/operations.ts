/**
 * For operators: rebuild read models by replay, and verify the invariants of everything: the log
 * in itself, the hash chains of its one-writer streams, the objects that events claim, and the read
 * models against a rebuild. Both answer NDJSON, a line for each thing looked at.
 */
import { type Cause, Effect, Stream } from "effect"
import { EventStore, type EventStoreUnavailable } from "#infra/event-store/port.ts"
import type { ObjectStore, ObjectStoreUnavailable } from "#infra/object-store/port.ts"
import { type ReadStoreUnavailable, RowStore } from "#infra/read-store/port.ts"
import { projections, streamsRead } from "#projections/read-models.ts"
import { rebuild } from "#projections/rebuild.ts"
import { BadQuery } from "./asker.ts"
import { auditLog, auditObjects, type Check } from "./audit.ts"

/** Replays the log into fresh tables, compares them row by row with those in use, and puts them in their place. */
const rebuilt = Effect.fn("rebuilt")(function* (model: (typeof projections)[number]) {
  const log = yield* EventStore
  const rows = yield* RowStore
  return yield* rebuild(log, rows, model, streamsRead)
})

const encoder = new TextEncoder()

/** A failure on the way is the last line: the status has been sent long before. */
const ndjson = Effect.fnUntraced(function* <A, E, R>(lines: Stream.Stream<A, E, R>) {
  const failed = (cause: Cause.Cause<E>) =>
    Stream.fromEffect(
      Effect.as(Effect.logError("an operation failed", cause), {
        code: "operation_failed",
        ok: false,
      }),
    )
  const told = lines.pipe(
    Stream.catchCause(failed),
    Stream.map((line) => encoder.encode(`${JSON.stringify(line)}\n`)),
  )
  const body = yield* Stream.toReadableStreamEffect(told)
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } })
})

export const rebuildModels = Effect.fn("rebuildModels")(function* (model: string | undefined) {
  const wanted = projections.filter(({ name }) => model === undefined || name === model)
  if (wanted.length === 0) {
    const names = projections.map(({ name }) => name).join(", ")
    return yield* new BadQuery({ issues: `model= is one of ${names}` })
  }
  return yield* ndjson(
    Stream.fromIterable(wanted).pipe(
      Stream.mapEffect(rebuilt),
      Stream.map((report) => ({ ...report, ok: report.differences === 0 })),
    ),
  )
})

const auditModels = Effect.gen(function* () {
  const reports = yield* Effect.forEach(projections, rebuilt)
  const problems = reports.filter(({ differences }) => differences > 0)
  const looked = reports.reduce((sum, { rows }) => sum + rows, 0)
  return { check: "read models", looked, problems } satisfies Check
})

/** The log is read before the first line is told; objects and read models follow as they are done. */
export const verifyAll = Effect.fn("verifyAll")(function* () {
  const { checks, ...videos } = yield* auditLog
  const rest: ReadonlyArray<
    Effect.Effect<
      Check,
      | EventStoreUnavailable
      | ObjectStoreUnavailable
      | ReadStoreUnavailable
      | { readonly _tag: "RowRefused" },
      EventStore | ObjectStore | RowStore
    >
  > = [auditObjects(videos), auditModels]
  const all = Stream.concat(
    Stream.fromIterable(checks),
    Stream.mapEffect(Stream.fromIterable(rest), (check) => check),
  )
  const told = Stream.map(all, (check) => ({ ...check, ok: check.problems.length === 0 }))
  return yield* ndjson(
    Stream.mapAccum(
      told,
      () => true,
      (soFar, check) => [soFar && check.ok, [check]] as const,
      { onHalt: (ok) => [{ check: "all", looked: 0, problems: [], ok }] },
    ),
  )
})
