/** How a confined program ended, read off its exit, its signal and its last words. */

export type Ending =
  | "ok"
  | "failed"
  | "wall"
  | "cpu"
  | "memory"
  | "output"
  | "stdout"
  | "attack"
  | "crash"

export interface Outcome {
  readonly ending: Ending
  readonly exit: number | null
  readonly stderr: string
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakMebibytes: number
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGKILL: 9,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGSYS: 31,
}
const endings: ReadonlyMap<number, Ending> = new Map([
  [9, "cpu"],
  [24, "cpu"],
  [25, "output"],
  [31, "attack"],
])

/** A starved ffmpeg shrugs and answers 0 with half a video: its words tell. */
const starvation = /Cannot allocate memory|malloc .* failed|alloc.*failed|std::bad_alloc/

export const endingOf = (
  exit: number | null,
  signal: string | null,
  stderr: string,
  stopped: "wall" | "stdout" | null,
): Ending => {
  if (stopped !== null) return stopped
  // News name what a user wrote.
  const starved = starvation.test(stderr.replace(/^.*\[info\].*$/gm, ""))
  if (exit === 0) return starved ? "memory" : "ok"
  // bwrap answers 128 + n when its child died of signal n.
  const viaExit = exit !== null && exit > 128 && exit < 193 ? exit - 128 : null
  const number = signal === null ? viaExit : (signalNumbers[signal] ?? 0)
  if (number !== null) return endings.get(number) ?? "crash"
  return starved ? "memory" : "failed"
}
