/**
 * The best pairs of task and worker. What is matched here, `evolve` accepts: otherwise it would be
 * matched for ever.
 */
import type { WorkerId } from "#domain/ids.ts"
import {
  type Channel,
  costOf,
  findTask,
  HEAD_START,
  isDoubtful,
  isSuspect,
  LATER,
  type Lease,
  type Queues,
  slotsFor,
  type Task,
  transcodeOf,
  type Worker,
} from "./queues.ts"

/** Where a channel stands with its best task; the first seconds go ahead, but only so far. */
const place = (share: number, { rank }: Task) => share - (rank < LATER ? HEAD_START : 0)

/** The task queue in the order in which it would be served now. */
export const readyTasks = (queues: Queues): ReadonlyArray<Task> =>
  [...queues.channels.values()]
    .flatMap(({ id, share, ready }) =>
      [...ready.values()].flat().map((task) => ({ id, task, at: place(share, task) })),
    )
    .sort((a, b) => a.at - b.at || a.task.rank - b.task.rank || (a.id < b.id ? -1 : 1))
    .map(({ task }) => task)

interface Choice {
  readonly task: Task
  readonly channel: Channel
  readonly at: number
}

interface Round {
  readonly queues: Queues
  /** Tasks assigned already, or that no worker can take now. */
  readonly skipped: Set<string>
  /** Types that some idle worker takes. */
  readonly types: Set<string>
  readonly used: Map<WorkerId, number>
  readonly shares: Map<string, number>
}

const bestTask = ({ queues, skipped, types, shares }: Round): Choice | undefined => {
  let best: Choice | undefined
  for (const channel of queues.channels.values()) {
    for (const [type, list] of channel.ready) {
      if (!types.has(type)) continue
      const task = list.findLast(({ id }) => !skipped.has(id))
      if (task === undefined) continue
      const at = place(shares.get(channel.id) ?? channel.share, task)
      const isBetter =
        best === undefined || at < best.at || (at === best.at && task.rank < best.task.rank)
      if (isBetter) best = { task, channel, at }
    }
  }
  return best
}

/** Certainly alive, warm and free is best; among equals the one that spoke last. */
const bestWorker = ({ queues, used }: Round, task: Task) => {
  let best: Worker | undefined
  let highest = Number.NEGATIVE_INFINITY
  for (const id of queues.idle) {
    const worker = queues.workers.get(id)
    if (worker === undefined || !worker.can.has(task.step.type)) continue
    const free = worker.free - (used.get(id) ?? 0)
    if (free < slotsFor(task, worker)) continue
    const warmth = worker.warm.includes(transcodeOf(task.id)) ? 1 : 0
    const score = (isDoubtful(queues, worker) ? 0 : 2) + warmth + free / worker.slots
    const isBetter =
      score > highest || (score === highest && worker.lastTick > (best?.lastTick ?? 0))
    if (!isBetter) continue
    best = worker
    highest = score
  }
  return best
}

/** At most `most` pairs. `sent`: assignments recorded but not folded yet. */
export const match = (
  queues: Queues,
  sent: ReadonlyArray<Omit<Lease, "videoId">> = [],
  most = 64,
): ReadonlyArray<Lease> => {
  const round: Round = {
    queues,
    skipped: new Set(sent.map(({ taskId }) => taskId)),
    types: new Set(),
    used: new Map(),
    shares: new Map(),
  }
  const { used, types, skipped, shares } = round
  for (const { taskId, worker: id } of sent) {
    const task = findTask(queues, taskId)
    const worker = queues.workers.get(id)
    used.set(id, (used.get(id) ?? 0) + (task && worker ? slotsFor(task, worker) : 1))
  }
  for (const id of queues.idle) {
    for (const type of queues.workers.get(id)?.can ?? []) types.add(type)
  }
  const found: Array<Lease> = []
  while (found.length < most && types.size > 0) {
    const choice = bestTask(round)
    if (choice === undefined) break
    const { task, channel } = choice
    const worker = bestWorker(round, task)
    const transcode = queues.transcodes.get(transcodeOf(task.id))
    if (worker === undefined || transcode === undefined) {
      // A suspect waits for a whole worker; of another type nobody has a slot left.
      if (isSuspect(task)) skipped.add(task.id)
      else types.delete(task.step.type)
      continue
    }
    skipped.add(task.id)
    used.set(worker.id, (used.get(worker.id) ?? 0) + slotsFor(task, worker))
    const share = shares.get(channel.id) ?? channel.share
    shares.set(channel.id, share + costOf(task) / transcode.weight)
    const { videoId } = transcode
    found.push({ videoId, taskId: task.id, attempt: task.attempt + 1, worker: worker.id })
  }
  return found
}
