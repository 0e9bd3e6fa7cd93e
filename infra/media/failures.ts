/** How a confined program's end is told: sorted here once, so that every stage says the same. */
import { EncoderCrashed, type MediaFailure, OutOfMemory, SourceRefused, TimedOut } from "./port.ts"
import type { Limits } from "./sandbox/command.ts"
import type { Outcome } from "./sandbox/outcome.ts"

const lastLine = (stderr: string) => {
  const line = stderr.trim().split("\n").at(-1) ?? ""
  return line.replace(/[^\x20-\x7e]/g, "?").slice(0, 160)
}

/** `null`: it ended well, or gave up by itself, which the caller has to judge by what it made. */
export const failureOf = (outcome: Outcome, limits: Limits): MediaFailure | null => {
  switch (outcome.ending) {
    case "ok":
    case "failed":
      return null
    case "attack":
      return new SourceRefused({ code: "hostile_input" })
    case "memory":
      return new OutOfMemory({ mebibytes: limits.mebibytes })
    case "wall":
      return new TimedOut({ limit: "wall", seconds: limits.wallSeconds })
    case "cpu":
      return new TimedOut({ limit: "cpu", seconds: limits.cpuSeconds })
    case "output":
    case "stdout":
      return new SourceRefused({ code: "too_expensive" })
    case "crash":
      return new EncoderCrashed({ detail: `crashed: ${lastLine(outcome.stderr)}` })
  }
}

export const crashOf = (outcome: Outcome, what: string) =>
  new EncoderCrashed({
    detail: `${what}; exit ${outcome.exit ?? "by signal"}: ${lastLine(outcome.stderr)}`,
  })
