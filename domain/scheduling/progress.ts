/** How a transcode moves on: tasks become due, are done, or are given up with their video. */
import type { Step } from "./events.ts"
import {
  FIRST_PIECES,
  LAST,
  LATER,
  type Queues,
  type Task,
  type Transcode,
  taskIdOf,
} from "./queues.ts"
import { isPlayable, isReady, isWhole, piecesOf } from "./readiness.ts"
import { dequeue, enqueue } from "./task-queue.ts"

/** Makes the task of a step (and piece) when it is due. */
export const consider = (queues: Queues, transcode: Transcode, step: Step, piece?: number) => {
  const id = taskIdOf(transcode.id, step.name, piece)
  if (transcode.outcome || transcode.tasks.has(id) || !isReady(transcode, step, piece)) return
  const at = piece ?? 0
  const isUrgent = step.first === true && at < FIRST_PIECES && transcode.playable === "no"
  const rank =
    (isUrgent ? 0 : step.later === true ? LAST : LATER) +
    transcode.seq * 2 ** 22 +
    at * 64 +
    transcode.steps.findIndex(({ name }) => name === step.name)
  const made = { id, step, piece, rank, attempt: 0, failures: 0, losses: 0, lease: undefined }
  const task: Task = { ...made, state: "ready" }
  transcode.tasks.set(id, task)
  enqueue(queues, transcode, task)
}

/** A step changed (for a piece): looks at the steps after it, and at nothing else. */
export const advance = (
  queues: Queues,
  transcode: Transcode,
  changed: string,
  piece?: number,
): void => {
  const each = transcode.steps.find(({ name }) => name === changed)?.each
  for (const step of transcode.steps) {
    if (!step.after.includes(changed) && step.each !== changed) continue
    if (step.each === undefined) consider(queues, transcode, step)
    else if (piece !== undefined && (step.each === changed || step.each === each)) {
      consider(queues, transcode, step, piece)
    } else {
      for (const other of piecesOf(transcode, step).keys()) {
        consider(queues, transcode, step, other)
      }
    }
    // The emitter is done: a map over it may be whole now.
    if (step.each === changed && piece === undefined) advance(queues, transcode, step.name)
  }
  if (transcode.playable === "no" && isPlayable(transcode)) transcode.playable = "owed"
  settle(queues, transcode)
}

const settle = (queues: Queues, transcode: Transcode) => {
  if (isWhole(transcode)) transcode.outcome ??= "completed"
  if (transcode.playable === "owed" || transcode.outcome) queues.owed.add(transcode.id)
}

/** What waited for the transcode to be complete may begin. */
export const goOn = (queues: Queues, transcode: Transcode) => {
  transcode.outcome = undefined
  transcode.isComplete = true
  queues.owed.delete(transcode.id)
  for (const step of transcode.steps) {
    if (step.later !== true) continue
    if (step.each === undefined) consider(queues, transcode, step)
    else {
      for (const piece of piecesOf(transcode, step).keys()) consider(queues, transcode, step, piece)
    }
  }
  settle(queues, transcode)
}

const unwant = (queues: Queues, key: string | undefined) => {
  const lease = key === undefined ? undefined : queues.running.get(key)
  if (key !== undefined && lease !== undefined) {
    const { videoId, taskId, attempt, worker } = lease
    queues.unwanted.set(key, { videoId, taskId, attempt, worker })
  }
}

export const finish = (queues: Queues, transcode: Transcode, task: Task) => {
  dequeue(queues, transcode, task)
  unwant(queues, task.lease)
  task.state = "done"
  task.lease = undefined
  const { name } = task.step
  transcode.done.set(name, (transcode.done.get(name) ?? 0) + 1)
  advance(queues, transcode, name, task.piece)
}

/** Nothing of it runs any more; what is queued waits for ever. */
export const stop = (queues: Queues, transcode: Transcode) => {
  queues.paused.delete(transcode.videoId)
  for (const task of transcode.tasks.values()) {
    unwant(queues, task.lease)
    dequeue(queues, transcode, task)
    if (task.state === "ready") task.state = "waiting"
  }
}

export const giveUp = (queues: Queues, transcode: Transcode, task: Task, code: string) => {
  if (task.step.optional || task.step.later) return finish(queues, transcode, task)
  transcode.outcome ??= { code }
  queues.owed.add(transcode.id)
  stop(queues, transcode)
}
