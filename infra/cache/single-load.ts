/**
 * One load per key at a time, and no old value kept: who asks while a load runs waits for it, and
 * a removal meanwhile makes the load's result good for those who wait but not for keeping.
 */
import { Cause, Deferred, Effect, Exit } from "effect"

interface Flight {
  isStale: boolean
  /** `undefined`: whoever loaded was interrupted. */
  readonly result: Deferred.Deferred<string | undefined, unknown>
}

export const singleLoads = () => {
  const flights = new Map<string, Flight>()

  const load = <E, R>(
    key: string,
    bring: Effect.Effect<string, E, R>,
    keep: (value: string) => Effect.Effect<void>,
  ): Effect.Effect<string, E, R> =>
    Effect.suspend(() => {
      const running = flights.get(key)
      if (running !== undefined && !running.isStale) {
        const awaited = Deferred.await(running.result) as Effect.Effect<string | undefined, E>
        return Effect.flatMap(awaited, (value) =>
          value === undefined ? load(key, bring, keep) : Effect.succeed(value),
        )
      }
      const flight: Flight = { isStale: false, result: Deferred.makeUnsafe() }
      flights.set(key, flight)
      return bring.pipe(
        Effect.tap((value) => (flight.isStale ? Effect.void : keep(value))),
        Effect.onExit((exit) => {
          if (flights.get(key) === flight) flights.delete(key)
          const wasInterrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
          return wasInterrupted
            ? Deferred.succeed(flight.result, undefined)
            : Deferred.done(flight.result, exit)
        }),
      )
    })

  const spoil = (keys: Iterable<string>) => {
    for (const key of keys) {
      const flight = flights.get(key)
      if (flight !== undefined) flight.isStale = true
    }
  }

  return { load, spoil, spoilAll: () => spoil([...flights.keys()]) }
}
