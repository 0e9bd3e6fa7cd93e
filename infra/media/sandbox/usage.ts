/**
 * Processor time and peak memory of a confined program. bwrap does not pass on its child's, so the
 * innermost process is looked at while it lives; both figures only grow.
 */
import { readFileSync } from "node:fs"

const everyMillis = 20
const memoryEvery = 5
/** Linux counts user-space ticks of 1/100 s on every machine. */
const secondsOfTick = 0.01

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // It has just ended.
    return null
  }
}

const innermost = (pid: string): string => {
  const child = read(`/proc/${pid}/task/${pid}/children`)?.trim().split(" ")[0] ?? ""
  return child === "" ? pid : innermost(child)
}

export const watchUsage = (pid: number) => {
  let peakMebibytes = 0
  let ticks = 0
  let looks = 0
  let watched = String(pid)
  const look = () => {
    if (looks < 20 || looks % 50 === 0) watched = innermost(String(pid))
    const fields = read(`/proc/${watched}/stat`)?.split(") ")[1]?.split(" ")
    if (fields !== undefined) ticks = Math.max(ticks, Number(fields[11]) + Number(fields[12]))
    if (looks % memoryEvery === 0) {
      const peak = read(`/proc/${watched}/status`)?.match(/^VmHWM:\s+(\d+)/m)?.[1] ?? "0"
      peakMebibytes = Math.max(peakMebibytes, Number(peak) / 1024)
    }
    looks += 1
  }
  const timer = setInterval(look, everyMillis)
  return {
    stop: () => {
      clearInterval(timer)
      return { cpuSeconds: ticks * secondsOfTick, peakMebibytes }
    },
  }
}
