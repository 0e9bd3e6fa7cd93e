/** The ready tasks of a channel, by type, each list sorted by rank with the most urgent last. */
import { costOf, type Queues, type Task, type Transcode } from "./queues.ts"

/** Where a task of this rank is or would be. */
const placeOf = (list: ReadonlyArray<Task>, rank: number) => {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    const task = list[middle]
    if (task !== undefined && task.rank > rank) low = middle + 1
    else high = middle
  }
  return low
}

export const enqueue = (queues: Queues, transcode: Transcode, task: Task) => {
  const id = transcode.channelId
  const channel = queues.channels.get(id) ?? { id, share: 0, ready: new Map() }
  // Idleness earns no credit.
  if (channel.ready.size === 0) channel.share = Math.max(channel.share, queues.virtual)
  const list: Array<Task> = channel.ready.get(task.step.type) ?? []
  list.splice(placeOf(list, task.rank), 0, task)
  channel.ready.set(task.step.type, list)
  queues.channels.set(id, channel)
  task.state = "ready"
}

/** What its last lease cost the channel. */
export const payBack = (queues: Queues, transcode: Transcode, task: Task) => {
  const channel = queues.channels.get(transcode.channelId)
  if (channel) channel.share -= costOf(task) / transcode.weight
}

/** Ready again after a lease that was not its channel's fault: the share is paid back. */
export const enqueueAgain = (queues: Queues, transcode: Transcode, task: Task) => {
  enqueue(queues, transcode, task)
  payBack(queues, transcode, task)
}

export const dequeue = (queues: Queues, transcode: Transcode, task: Task) => {
  queues.waiting.delete(task.id)
  const channel = queues.channels.get(transcode.channelId)
  if (channel === undefined) return
  const list = channel.ready.get(task.step.type) ?? []
  const at = task.state === "ready" ? list.indexOf(task, placeOf(list, task.rank)) : -1
  if (at >= 0) list.splice(at, 1)
  if (list.length === 0) channel.ready.delete(task.step.type)
  if (channel.ready.size === 0 && channel.share <= queues.virtual) {
    queues.channels.delete(channel.id)
  }
}
