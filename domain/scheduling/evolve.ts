/**
 * What each event does to the queues, and when it does nothing: the order of the log decides, so
 * whatever comes late, twice or from a deposed scheduler is harmless.
 */
import type { WorkerId } from "#domain/ids.ts"
import type { SchedulingEvent } from "./events.ts"
import { isPausing, pause, resume } from "./pausing.ts"
import { advance, consider, finish, giveUp, goOn, stop } from "./progress.ts"
import type { QueueFact } from "./queue-fact.ts"
import {
  costOf,
  findTask,
  keyOf,
  type Lease,
  LOSSES,
  type Queues,
  RETRIES,
  slotsFor,
  stepNameOf,
  type Transcode,
  transcodeOf,
  WARM_VIDEOS,
  type Worker,
  weights,
} from "./queues.ts"
import { keepGroups, takes } from "./readiness.ts"
import { dequeue, enqueue, enqueueAgain } from "./task-queue.ts"

type Of<Tag extends SchedulingEvent["_tag"]> = Extract<SchedulingEvent, { _tag: Tag }>

const openTranscode = (queues: Queues, id: string): Transcode | undefined => {
  const transcode = queues.transcodes.get(id)
  return transcode?.outcome === undefined ? transcode : undefined
}

// Workers and their slots

const occupy = (queues: Queues, worker: Worker, slots: number) => {
  worker.free -= slots
  if (worker.free > 0 && !worker.isStopping) queues.idle.add(worker.id)
  else queues.idle.delete(worker.id)
}

/** Frees the slots; answers the task when this was the lease that counts. */
const endLease = (queues: Queues, lease: Lease) => {
  const key = keyOf(lease)
  const worker = queues.workers.get(lease.worker)
  const task = findTask(queues, lease.taskId)
  if (worker) occupy(queues, worker, -(queues.running.get(key)?.slots ?? 0))
  queues.running.delete(key)
  queues.unwanted.delete(key)
  if (task?.lease !== key) return undefined
  task.lease = undefined
  return task
}

const startWorker = (queues: Queues, { worker: id, can, slots }: Of<"WorkerStarted">) => {
  if (queues.workers.has(id)) return
  const worker: Worker = {
    id,
    can: new Set(can),
    slots,
    free: slots,
    lastTick: queues.tick,
    isHeard: true,
    isStopping: false,
    warm: [],
  }
  queues.workers.set(id, worker)
  occupy(queues, worker, 0)
}

const loseWorker = (queues: Queues, id: WorkerId) => {
  for (const lease of [...queues.running.values(), ...queues.unwanted.values()]) {
    const task = lease.worker === id ? endLease(queues, lease) : undefined
    const transcode = task && openTranscode(queues, transcodeOf(task.id))
    if (!task || !transcode) continue
    task.losses++
    if (task.losses > LOSSES) giveUp(queues, transcode, task, "task_kills_workers")
    else enqueueAgain(queues, transcode, task)
  }
  queues.workers.delete(id)
  queues.idle.delete(id)
}

// Transcodes and their tasks

const plan = (queues: Queues, event: Of<"TranscodePlanned">) => {
  const { transcode: id, videoId, channelId, service, steps } = event
  if (queues.transcodes.has(id)) return
  const transcode: Transcode = {
    ...{ id, videoId, channelId, steps },
    weight: weights[service],
    seq: queues.seen++,
    tasks: new Map(),
    done: new Map(),
    taken: new Map(),
    pieces: new Map(),
    playable: "no",
    isComplete: false,
    outcome: undefined,
  }
  queues.transcodes.set(id, transcode)
  for (const step of steps) if (step.each === undefined) consider(queues, transcode, step)
}

const emit = (queues: Queues, { taskId, pieces }: Of<"TaskEmitted">) => {
  const transcode = openTranscode(queues, transcodeOf(taskId))
  const name = stepNameOf(taskId)
  if (!transcode || transcode.done.get(name) === 1) return
  const known = transcode.pieces.get(name) ?? new Map()
  transcode.pieces.set(name, known)
  for (const { n, groups } of pieces) {
    if (known.has(n)) continue
    known.set(n, groups)
    for (const step of transcode.steps) {
      if (step.each !== name || !takes(step, groups)) continue
      transcode.taken.set(step.name, (transcode.taken.get(step.name) ?? 0) + 1)
    }
    advance(queues, transcode, name, n)
  }
}

const assign = (queues: Queues, event: Of<"TaskAssigned">) => {
  const { videoId, taskId, attempt, epoch } = event
  const key = keyOf(event)
  const worker = queues.workers.get(event.worker)
  if (!worker) return
  const lease = { videoId, taskId, attempt, worker: worker.id }
  const transcode = openTranscode(queues, transcodeOf(taskId))
  const task = transcode?.tasks.get(taskId)
  const isNext = task?.state === "ready" && attempt === task.attempt + 1
  if (epoch !== queues.epoch || !transcode || !task || !isNext) {
    // Void: from a deposed scheduler, or too late. The worker is told.
    if (!queues.running.has(key)) queues.unwanted.set(key, lease)
    return
  }
  const channel = queues.channels.get(transcode.channelId)
  if (channel) {
    queues.virtual = Math.max(queues.virtual, channel.share)
    channel.share += costOf(task) / transcode.weight
  }
  dequeue(queues, transcode, task)
  queues.unwanted.delete(key) // the same pair, chosen by a deposed scheduler a moment ago
  task.state = "running"
  task.attempt = attempt
  task.lease = key
  // An idle worker speaks seldom: its silence counts from here.
  if (worker.free === worker.slots) worker.lastTick = queues.tick
  const slots = slotsFor(task, worker)
  occupy(queues, worker, slots)
  const others = worker.warm.filter((id) => id !== transcode.id)
  worker.warm = [transcode.id, ...others].slice(0, WARM_VIDEOS)
  queues.running.set(key, { ...lease, slots })
}

/** The first success wins, with or without a lease: the objects have the same names. */
const succeed = (queues: Queues, event: Of<"TaskSucceeded">) => {
  endLease(queues, event)
  const transcode = openTranscode(queues, transcodeOf(event.taskId))
  const task = transcode?.tasks.get(event.taskId)
  if (!transcode || !task || task.state === "done") return
  if (event.groups) transcode.steps = keepGroups(transcode.steps, event.groups)
  finish(queues, transcode, task)
}

const fail = (queues: Queues, event: Of<"TaskFailed">) => {
  const task = endLease(queues, event)
  const transcode = openTranscode(queues, transcodeOf(event.taskId))
  if (!task || !transcode) return
  if (event.recoverable) task.failures++
  if (!event.recoverable || task.failures > RETRIES) {
    giveUp(queues, transcode, task, event.code)
    return
  }
  task.state = "waiting"
  queues.waiting.set(task.id, queues.tick + 2 ** task.failures)
}

const release = (queues: Queues, event: Of<"TaskReleased">) => {
  const task = endLease(queues, event)
  const transcode = openTranscode(queues, transcodeOf(event.taskId))
  if (!task || !transcode) return
  if (isPausing(queues, event)) pause(queues, transcode, task)
  else enqueueAgain(queues, transcode, task)
}

const close = (queues: Queues, id: string) => {
  const transcode = queues.transcodes.get(id)
  if (transcode) stop(queues, transcode)
  queues.owed.delete(id)
  queues.transcodes.delete(id)
}

const complete = (queues: Queues, { transcode: id, goesOn }: Of<"TranscodeCompleted">) => {
  const transcode = queues.transcodes.get(id)
  if (transcode && goesOn === true) {
    if (!transcode.isComplete) goOn(queues, transcode)
  } else close(queues, id)
}

const tellPlayable = (queues: Queues, id: string) => {
  const transcode = queues.transcodes.get(id)
  if (!transcode) return
  transcode.playable = "told"
  if (!transcode.outcome) queues.owed.delete(id)
}

const tick = (queues: Queues) => {
  queues.tick++
  for (const [taskId, due] of queues.waiting) {
    if (due > queues.tick) continue
    queues.waiting.delete(taskId)
    const transcode = queues.transcodes.get(transcodeOf(taskId))
    const task = transcode?.tasks.get(taskId)
    if (transcode && task) enqueue(queues, transcode, task)
  }
}

const apply = (queues: Queues, event: QueueFact) => {
  switch (event._tag) {
    case "UploadNews":
      resume(queues, event)
      break
    case "TranscodePlanned":
      plan(queues, event)
      break
    case "TaskEmitted":
      emit(queues, event)
      break
    case "TaskAssigned":
      assign(queues, event)
      break
    case "TaskSucceeded":
      succeed(queues, event)
      break
    case "TaskFailed":
      fail(queues, event)
      break
    case "TaskReleased":
      release(queues, event)
      break
    case "TaskRevoked": // it keeps its slot until the worker says that it stopped
      queues.unwanted.delete(keyOf(event))
      break
    case "WorkerStarted":
      startWorker(queues, event)
      break
    case "WorkerStopping": {
      const worker = queues.workers.get(event.worker)
      if (worker) occupy(queues, Object.assign(worker, { isStopping: true }), 0)
      break
    }
    case "WorkerLost":
      if (event.epoch === queues.epoch) loseWorker(queues, event.worker)
      break
    case "SchedulerStarted":
      queues.epoch = Math.max(queues.epoch, event.epoch)
      for (const worker of queues.workers.values()) worker.isHeard = false
      break
    case "SchedulerTicked": // refused unless in office; its election may have expired from the log
      queues.epoch = Math.max(queues.epoch, event.epoch)
      if (event.epoch === queues.epoch) tick(queues)
      break
    case "TranscodePlayable":
      tellPlayable(queues, event.transcode)
      break
    case "TranscodeCompleted":
      complete(queues, event)
      break
    case "TranscodeCancelled":
    case "TranscodeExtended":
    case "TranscodeFailed":
      close(queues, event.transcode)
      break
    case "WorkerSeen":
      break
  }
}

export const evolve = (queues: Queues, event: QueueFact): Queues => {
  // Whatever a worker says, it lives.
  const worker =
    "worker" in event && !("epoch" in event) ? queues.workers.get(event.worker) : undefined
  if (worker) {
    worker.lastTick = queues.tick
    worker.isHeard = true
  }
  apply(queues, event)
  return queues
}
