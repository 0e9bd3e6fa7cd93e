/**
 * What processes use, from /proc: processor time of a whole tree, its finished children included, and
 * memory. A sandbox's first process outlives the one that waits for it, so it would be the system's to
 * wait for: here it is ours, and what it used stays readable until this program ends.
 */
import { dlopen } from "bun:ffi"
import { readdirSync, readFileSync } from "node:fs"
import { treeOf } from "../../apps/platform/testing.ts"

const PR_SET_CHILD_SUBREAPER = 36
/** Linux counts user-space ticks of 1/100 s on every machine. */
const SECONDS_OF_TICK = 0.01

/** From now on what loses its parent below this process becomes its child. */
export const adoptOrphans = () => {
  const { symbols } = dlopen("libc.so.6", {
    prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
  })
  if (symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0)
    throw new Error("prctl: this system does not hand over orphans")
}

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** State, parent and seconds, those of children waited for included. */
const statOf = (pid: number) => {
  const text = read(`/proc/${pid}/stat`)
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { state: fields[0], parent: Number(fields[1]), seconds: ticks * SECONDS_OF_TICK }
}

const deadOrphans = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter(({ state, parent }) => state === "Z" && parent === process.pid)

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, one) => total + one, 0)

/** Processor seconds of the tree since it began, whoever has waited for what has ended. */
export const secondsOfTree = (pid: number) =>
  sum([...treeOf(pid).map(statOf), ...deadOrphans()].map(({ seconds }) => seconds))

/** `worker`, `event-store`, `postgres`: what a process of the platform is called. */
const nameOf = (pid: number) => {
  const words = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")
  const script = /(?:apps|infra)\/([\w-]+)\/(?:node\/)?(main|public)\.ts/.exec(words)
  if (script === null) return words.includes("postgres") ? "postgres" : (words.split(" ")[0] ?? "")
  return script[2] === "public" ? "public" : (script[1] ?? "")
}

const mebibytesOf = (pid: number) =>
  Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024

/** The same by the names of processes; sandboxes that have ended are `sandboxes`. */
export const secondsByName = (pid: number): ReadonlyMap<string, number> => {
  const sums = new Map([["sandboxes", sum(deadOrphans().map(({ seconds }) => seconds))]])
  for (const one of treeOf(pid)) {
    const name = nameOf(one)
    sums.set(name, (sums.get(name) ?? 0) + statOf(one).seconds)
  }
  return sums
}

export interface Use {
  readonly pid: number
  readonly name: string
  readonly seconds: number
  readonly mebibytes: number
}

export const usesOfTree = (pid: number): ReadonlyArray<Use> =>
  treeOf(pid).map((one) => ({
    pid: one,
    name: nameOf(one),
    seconds: statOf(one).seconds,
    mebibytes: mebibytesOf(one),
  }))

/** Runs a program to its end; what it printed and the processor seconds it used. */
export const spend = async (words: ReadonlyArray<string>) => {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(`${words.join(" ")}\n${err.slice(-2000)}`)
  return { out, seconds: Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1_000_000 }
}
