/**
 * Ends a confined program for certain. bwrap that is killed while it starts leaves a child that has
 * not yet asked to die with it: so it is stopped first, then its children end, then it.
 */
import { readFileSync } from "node:fs"

const mostLooks = 1000

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const signal = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}

/** Stopped, dead or gone: it makes no child any more. */
const isStill = (pid: number) => {
  const state = read(`/proc/${pid}/stat`).split(") ")[1]?.[0] ?? "X"
  return "TtZX".includes(state)
}

export const endProcess = (pid: number): void => {
  signal(pid, "SIGSTOP")
  for (let looks = 0; looks < mostLooks && !isStill(pid); looks++);
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean)
  for (const child of children) signal(Number(child), "SIGKILL")
  signal(pid, "SIGKILL")
}
