/** What strangers may know; the owner knows all. Of the work: how much there is and who works, never on what. */
import type { queuesView } from "#domain/scheduling/view.ts"

/** The lists that name no task; a list that is added later is not told before it stands here. */
const open = new Set(["workerQueue", "nobodyCan"])

/** Whoever lists tasks tells the ids of videos that are private, unlisted or not published yet. */
export const withoutTasks = <Queues extends Pick<ReturnType<typeof queuesView>, "workerQueue">>(
  queues: Queues,
) => {
  const counts = Object.entries(queues).map(([name, value]) =>
    Array.isArray(value) && !open.has(name) ? [name, []] : [name, value],
  )
  const workerQueue = queues.workerQueue.map((worker) => ({ ...worker, warm: [] }))
  return { ...Object.fromEntries(counts), workerQueue }
}
