/** Given, when, then: how the test of a decider reads. */
import { expect } from "bun:test"
import { Result } from "effect"
import type { Decider } from "./decider.ts"

export const spec = <State, Command, Event, Rejection>(
  decider: Decider<State, Command, Event, Rejection>,
) => ({
  given: (...past: ReadonlyArray<Event>) => ({
    when: (command: Command) => {
      const decision = decider.decide(past.reduce(decider.evolve, decider.initial), command)
      return {
        thenRecords: (...events: ReadonlyArray<Event>) =>
          expect(decision).toEqual(Result.succeed(events)),
        thenNothing: () => expect(decision).toEqual(Result.succeed([])),
        thenRejects: (rejection: Rejection) => expect(decision).toEqual(Result.fail(rejection)),
      }
    },
  }),
})
