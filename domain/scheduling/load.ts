/** How much is queued: beyond an hour of it, what is encoded fast matters more than what is encoded small. */
import { costOf, type Queues } from "./queues.ts"

/** Of queued work, for each slot that takes it. */
export const HURRY_SECONDS = 3_600

/** The task types of which more is queued than their slots do in an hour. */
export const overloadedTypes = ({ channels, workers }: Queues): ReadonlySet<string> => {
  const queued = new Map<string, number>()
  for (const { ready } of channels.values()) {
    for (const [type, list] of ready) {
      const task = list.at(-1) // tasks of one type cost about the same
      const seconds = task === undefined ? 0 : list.length * costOf(task)
      queued.set(type, (queued.get(type) ?? 0) + seconds)
    }
  }
  const overloaded = new Set<string>()
  for (const [type, seconds] of queued) {
    let slots = 0
    for (const worker of workers.values()) if (worker.can.has(type)) slots += worker.slots
    if (seconds > HURRY_SECONDS * slots) overloaded.add(type)
  }
  return overloaded
}
