/** The three queues as people look at them: plain JSON, the longest lists cut and counted. */
import { readyTasks } from "./match.ts"
import {
  LATER,
  lastTickOf,
  type Queues,
  stepNameOf,
  type Task,
  transcodeOf,
  type Worker,
} from "./queues.ts"

/** Entries shown of each queue; `…Count` says how many there are. */
const MOST_SHOWN = 200

const shown = ({ id, step, piece, rank, attempt, failures, losses }: Task) => ({
  taskId: id,
  videoId: transcodeOf(id).slice(0, transcodeOf(id).lastIndexOf(".")),
  step: step.name,
  type: step.type,
  piece: piece ?? null,
  ...{ attempt, failures, losses },
  /** On the way to the first playable seconds. */
  isFirst: rank < LATER,
})

const isHere = ({ isStopping, free, slots }: Worker) => !isStopping || free < slots

/** Task types that are ready and that no worker takes. One that stops takes nothing more. */
export const nobodyCan = ({ workers, channels }: Queues) => {
  const able = new Set(
    [...workers.values()].flatMap(({ can, isStopping }) => (isStopping ? [] : [...can])),
  )
  const stranded = new Map<string, number>()
  for (const { ready } of channels.values()) {
    for (const [type, tasks] of ready) {
      if (able.has(type) || tasks.length === 0) continue
      stranded.set(type, (stranded.get(type) ?? 0) + tasks.length)
    }
  }
  return [...stranded].map(([type, count]) => ({ type, count }))
}

export const queuesView = (queues: Queues) => {
  const ready = readyTasks(queues)
  const running = [...queues.running.values()]
  const waiting = [...queues.waiting].map(([taskId, due]) => ({
    taskId,
    ticks: Math.max(0, due - queues.tick),
  }))
  const paused = [...queues.paused.values()].flatMap((taskIds) => [...taskIds])
  return {
    epoch: queues.epoch,
    tick: queues.tick,
    taskCount: ready.length,
    taskQueue: ready.slice(0, MOST_SHOWN).map(shown),
    waitingCount: waiting.length,
    waiting: waiting.slice(0, MOST_SHOWN),
    /** Given back until their uploads go on. */
    pausedCount: paused.length,
    paused: paused.slice(0, MOST_SHOWN),
    // One that has said goodbye and holds nothing is only waiting to be struck off.
    workerQueue: [...queues.workers.values()].filter(isHere).map((worker) => ({
      worker: worker.id,
      can: [...worker.can],
      slots: worker.slots,
      free: worker.free,
      isStopping: worker.isStopping,
      ticksSilent: queues.tick - worker.lastTick,
      ticksLeft: Math.max(0, lastTickOf(worker) - queues.tick),
      warm: worker.warm,
    })),
    runningCount: running.length,
    runningQueue: running.slice(0, MOST_SHOWN).map(({ slots, ...lease }) => ({
      ...lease,
      step: stepNameOf(lease.taskId),
      slots,
    })),
    nobodyCan: nobodyCan(queues),
  }
}
