/** What every aggregate is: it decides on commands and evolves by events. Both are pure. */
import { Result } from "effect"
import type { StreamName } from "./ids.ts"

export type Decision<Event, Rejection> = Result.Result<ReadonlyArray<Event>, Rejection>

export interface Decider<State, Command, Event, Rejection> {
  readonly stream: (command: Command) => StreamName
  readonly initial: State
  readonly decide: (state: State, command: Command) => Decision<Event, Rejection>
  readonly evolve: (state: State, event: Event) => State
}

export const accept = <Event>(...events: ReadonlyArray<Event>): Decision<Event, never> =>
  Result.succeed(events)

export const reject = <Rejection>(rejection: Rejection): Decision<never, Rejection> =>
  Result.fail(rejection)

/** The command has arrived before: nothing new happened, and that is fine. */
export const alreadyDone: Decision<never, never> = Result.succeed([])
