/**
 * Loads under way in this process, at most one per key. A load whose key is invalidated goes on for
 * those who wait for it, but it is not wanted any more: who asks now begins another.
 */
import { Deferred, Effect, type Exit } from "effect"

export interface Flights {
  readonly share: <E, R>(
    key: string,
    run: (isWanted: () => boolean) => Effect.Effect<string, E, R>,
  ) => Effect.Effect<string, E, R>
  readonly invalidate: (keys: ReadonlyArray<string>) => void
  readonly invalidateAll: () => void
}

/** One key has one kind of load, so one kind of failure. */
const landingOf = <E>(flight: Deferred.Deferred<string, unknown>) =>
  Deferred.await(flight) as Effect.Effect<string, E>

export const makeFlights = (): Flights => {
  const flights = new Map<string, Deferred.Deferred<string, unknown>>()

  const begin = <E, R>(
    key: string,
    run: (isWanted: () => boolean) => Effect.Effect<string, E, R>,
  ): Effect.Effect<string, E, R> =>
    Effect.suspend(() => {
      const flight = Deferred.makeUnsafe<string, unknown>()
      flights.set(key, flight)
      const isWanted = () => flights.get(key) === flight
      const land = (exit: Exit.Exit<string, E>) =>
        Effect.suspend(() => {
          if (isWanted()) flights.delete(key)
          return Deferred.done(flight, exit)
        })
      // Detached: the load outlives whoever happened to ask first.
      return Effect.suspend(() => run(isWanted)).pipe(
        Effect.onExit(land),
        Effect.forkDetach,
        Effect.uninterruptible,
        Effect.andThen(landingOf<E>(flight)),
      )
    })

  return {
    share: (key, run) =>
      Effect.suspend(() => {
        const flight = flights.get(key)
        return flight ? landingOf(flight) : begin(key, run)
      }),
    invalidate: (keys) => {
      for (const key of keys) flights.delete(key)
    },
    invalidateAll: () => flights.clear(),
  }
}
