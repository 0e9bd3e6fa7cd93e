/** How often an adapter that lost the store tries again. Jittered, so that a hundred followers do not come back in one instant. */
import { Schedule } from "effect"

/** For ever: fast at first, then about every second. */
export const untilItIsBack = Schedule.min([
  Schedule.exponential("50 millis"),
  Schedule.spaced("1 second"),
]).pipe(Schedule.jittered)

/** Who waits for an answer is told after this time. */
export const PATIENCE = "5 seconds"
export const ATTEMPT = "2 seconds"

export const withinPatience = Schedule.min([
  Schedule.exponential("25 millis"),
  Schedule.spaced("500 millis"),
]).pipe(Schedule.jittered, Schedule.upTo({ duration: PATIENCE }))
