/** What a person sees of the platform: progress lines anywhere; on a terminal one status line that is kept up to date. */
import type { ProcessState } from "./supervise.ts"

const isTerminal = process.stderr.isTTY === true

const statusOf = (states: ReadonlyArray<ProcessState>) =>
  states
    .map(({ spec, isReady, restarts }) => {
      const mark = isReady ? "●" : "○"
      return `${mark} ${spec.name}${restarts > 0 ? ` (${restarts} restarts)` : ""}`
    })
    .join("  ")

/** One line that replaces itself; nothing where there is no terminal. */
export const showStatus = (states: ReadonlyArray<ProcessState>) => {
  if (!isTerminal) return
  const width = process.stderr.columns ?? 80
  process.stderr.write(`\r\x1b[2K${statusOf(states).slice(0, width - 1)}`)
}

export const say = (text: string) =>
  process.stderr.write(`${isTerminal ? "\r\x1b[2K" : ""}${text}\n`)
