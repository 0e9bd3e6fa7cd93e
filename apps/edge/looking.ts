/**
 * How old the knowledge of this server may be. News come by a subscription, and a subscription can be
 * cut without a word while the log itself answers. So nothing that is held is served on the word of
 * the subscription alone: while somebody asks, the log's end is looked up twice a second, once for
 * all videos, and what is new there is read. Only when that fails too is what is held served as it is.
 */
import { Clock, Deferred, Effect, Stream } from "effect"
import { isAfter } from "#domain/ids.ts"
import { EventStore, type Filter, type Recorded } from "#infra/event-store/port.ts"

/** A takedown takes effect within two seconds: that long and an answer's own time are left. */
const DUE_MILLIS = 500
const STALE_MILLIS = 1500
/** A look that was begun when it was due has ended before anybody has to wait for it. */
const PATIENCE = "1 second"

interface LookingOptions {
  readonly filter: Filter
  /** Must bear hearing of an event twice. */
  readonly arrive: (recorded: Recorded) => void
}

export const lookAtTheLog = Effect.fn("lookAtTheLog")(function* (options: LookingOptions) {
  const store = yield* EventStore
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const now = () => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

  let seen: string | undefined
  let knownAt = Number.NEGATIVE_INFINITY
  let looking: Deferred.Deferred<void> | undefined
  const counts = { looks: 0, failures: 0 }

  const readOn = Effect.gen(function* () {
    const end = yield* store.end
    if (seen !== undefined && isAfter(end, seen)) {
      const news = store.readAll({ after: seen, filter: options.filter })
      yield* Stream.runForEach(news, (recorded) => Effect.sync(() => options.arrive(recorded)))
    }
    seen = end
  })

  const look = Effect.gen(function* () {
    const begun = now()
    const hasSeen = yield* readOn.pipe(Effect.timeout(PATIENCE), Effect.isSuccess)
    counts.looks += 1
    if (!hasSeen) counts.failures += 1
    // The log is away: it is not asked again for every request.
    knownAt = hasSeen ? begun : now()
  })

  const start = (): Deferred.Deferred<void> => {
    if (looking !== undefined) return looking
    const started = Deferred.makeUnsafe<void>()
    looking = started
    const finish = Effect.onExit(look, () => {
      looking = undefined
      return Deferred.succeed(started, undefined)
    })
    // Not a child of a request: others wait for the same, and this one may hang up.
    fork(Effect.forkIn(finish, scope))
    return started
  }

  /** Whether what is held may be served at once. */
  const isFresh = (): boolean => {
    const age = now() - knownAt
    if (age >= DUE_MILLIS) start()
    return age < STALE_MILLIS
  }

  return {
    isFresh,
    /** Until what is held may be served. */
    freshness: Effect.suspend(() => (isFresh() ? Effect.void : Deferred.await(start()))),
    /** All that is held from now on was read at this position or later. */
    beginAt: (position: string) => {
      seen = position
      knownAt = now()
    },
    counts: () => counts,
  }
})
