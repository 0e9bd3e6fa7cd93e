/** What holds in every history, however its events are disordered. `SEEDS=500` for more histories. */
import { expect, test } from "bun:test"
import { streamOf } from "./decide.ts"
import { evolve } from "./evolve.ts"
import { match, readyTasks } from "./match.ts"
import type { QueueFact } from "./queue-fact.ts"
import { keyOf, noQueues, type Queues, type Transcode, transcodeOf } from "./queues.ts"
import { history, videoOfTask } from "./testing.ts"

/** The three queues as a person would list them; what replays must agree on. */
const shown = (queues: Queues) =>
  JSON.stringify([
    queues.epoch,
    queues.tick,
    readyTasks(queues).map(({ id, failures, losses }) => [id, failures, losses]),
    [...queues.running.keys()].sort(),
    [...queues.workers.values()].map(({ id, free, lastTick }) => [id, free, lastTick]).sort(),
    [...queues.waiting].sort(),
    [...queues.paused].map(([videoId, taskIds]) => [videoId, ...taskIds]).sort(),
    [...queues.transcodes.keys()].sort(),
  ])

const openOf = (queues: Queues, taskId: string) => {
  const transcode = queues.transcodes.get(transcodeOf(taskId))
  return transcode?.outcome === undefined ? transcode : undefined
}

/** The tasks there should be, from scratch: by what is done and which pieces are for whom. */
const dueTasks = ({ id, steps, done, pieces, tasks, isComplete }: Transcode) => {
  const piecesFor = (name: string | undefined, group: string | undefined) =>
    [...(pieces.get(name ?? "") ?? [])]
      .filter(([, groups]) => group === undefined || groups?.includes(group))
      .map(([n]) => n)
  const isDone = (taskId: string) => tasks.get(taskId)?.state === "done"
  const isWhole = (name: string) => {
    const step = steps.find((other) => other.name === name)
    if (step === undefined) return true
    if (step.each === undefined) return isDone(`${id}/${name}`)
    const mapped = piecesFor(step.each, step.group)
    return done.get(step.each) === 1 && mapped.every((n) => isDone(`${id}/${name}/${n}`))
  }
  return steps.flatMap(({ name, after, each, group, later }) => {
    if (later === true && !isComplete) return []
    if (each === undefined) return after.every(isWhole) ? [`${id}/${name}`] : []
    return piecesFor(each, group)
      .filter((n) =>
        after.every((before) => {
          const step = steps.find((other) => other.name === before)
          if (step === undefined || before === each) return true
          if (step.each !== each) return isWhole(before)
          return !piecesFor(each, step.group).includes(n) || isDone(`${id}/${before}/${n}`)
        }),
      )
      .map((n) => `${id}/${name}/${n}`)
  })
}

/** Who holds what, told from the log alone by someone who has not read `evolve`. */
const holders = (log: ReadonlyArray<QueueFact>) => {
  const held = new Map<string, string>()
  const done = new Set<string>()
  const alive = new Set<string>()
  const last = new Map<string, number>()
  const failures = new Map<string, number>()
  const due = new Map<string, number>()
  const uploads = new Map<string, number>()
  const paused = new Set<string>()
  let epoch = 0
  let tick = 0
  for (const event of log) {
    const holds = "attempt" in event && held.get(event.taskId) === keyOf(event)
    if (event._tag === "UploadNews") {
      uploads.set(event.videoId, event.isOver ? Number.POSITIVE_INFINITY : event.revision)
      for (const id of paused) if (videoOfTask(id) === event.videoId) paused.delete(id)
    }
    if (event._tag === "SchedulerStarted") epoch = Math.max(epoch, event.epoch)
    if (event._tag === "SchedulerTicked" && event.epoch === epoch) tick++
    if (event._tag === "WorkerStarted") alive.add(event.worker)
    if (event._tag === "TaskFailed" && holds) {
      const count = (failures.get(event.taskId) ?? 0) + 1
      failures.set(event.taskId, count)
      due.set(event.taskId, tick + 2 ** count)
      if (!event.recoverable || count > 3) done.add(event.taskId) // given up, or its video failed
    }
    if (
      event._tag === "TaskAssigned" &&
      event.epoch === epoch &&
      alive.has(event.worker) &&
      !held.has(event.taskId) &&
      !done.has(event.taskId) &&
      !paused.has(event.taskId) &&
      tick >= (due.get(event.taskId) ?? 0) &&
      event.attempt === (last.get(event.taskId) ?? 0) + 1
    ) {
      held.set(event.taskId, keyOf(event))
      last.set(event.taskId, event.attempt)
    }
    if ((event._tag === "TaskFailed" || event._tag === "TaskReleased") && holds) {
      held.delete(event.taskId)
      const heard = "heard" in event ? event.heard : undefined
      const last = uploads.get(event.videoId) ?? Number.POSITIVE_INFINITY
      if (heard !== undefined && heard >= last) paused.add(event.taskId)
    }
    if (event._tag === "TaskSucceeded") {
      held.delete(event.taskId)
      done.add(event.taskId)
    }
    if (event._tag === "WorkerLost" && event.epoch === epoch && alive.delete(event.worker)) {
      for (const [id, key] of held) if (key.endsWith(`@${event.worker}`)) held.delete(id)
    }
  }
  return held
}

const holds = (queues: Queues, log: ReadonlyArray<QueueFact>) => {
  // Whatever is matched is accepted, or it would be matched for ever.
  const served = structuredClone(queues)
  for (const lease of match(queues)) {
    evolve(served, { _tag: "TaskAssigned", epoch: queues.epoch, ...lease })
    expect(served.running.has(keyOf(lease))).toBe(true)
  }

  const live = new Map<string, string>()
  for (const [key, { taskId }] of queues.running) {
    const task = openOf(queues, taskId)?.tasks.get(taskId)
    if (task?.lease !== key) continue
    expect(live.has(taskId)).toBe(false)
    live.set(taskId, key)
  }
  const told = [...holders(log)].filter(([id]) => openOf(queues, id) !== undefined)
  expect([...live].sort()).toEqual(told.sort())

  for (const worker of queues.workers.values()) {
    const taken = [...queues.running.values()]
      .filter((lease) => lease.worker === worker.id)
      .reduce((sum, { slots }) => sum + slots, 0)
    expect(worker.free).toBe(worker.slots - taken)
  }
  for (const transcode of queues.transcodes.values()) {
    if (transcode.outcome) continue
    expect([...transcode.tasks.keys()].sort()).toEqual(dueTasks(transcode).sort())
  }
}

test("no task has two live leases, every task with a live worker ends, replays agree", () => {
  const seeds = Number(process.env.SEEDS ?? 40)
  for (let seed = 1; seed <= seeds; seed++) {
    const { log, auditor, schedulers } = history(seed, holds)
    expect(auditor.transcodes.size).toBe(0)
    for (const { queues, read } of schedulers) {
      expect(shown(queues)).toBe(shown(log.slice(0, read).reduce(evolve, noQueues())))
    }
    expect(shown(log.reduce(evolve, noQueues()))).toBe(shown(auditor))

    const kept = log.filter(
      (event) => event._tag === "UploadNews" || streamOf(event).startsWith("transcode-"),
    ) // others expire
    expect(kept.reduce(evolve, noQueues()).transcodes.size).toBe(0)

    const third = Math.floor(log.length / 3)
    const snapshot = structuredClone(log.slice(0, third).reduce(evolve, noQueues()))
    expect(shown(log.slice(third).reduce(evolve, snapshot))).toBe(shown(auditor))

    const isEnd = /^Transcode(Extended|Failed|Cancelled)$/
    const ended = log.flatMap((event) =>
      isEnd.test(event._tag) && "transcode" in event ? [event.transcode] : [],
    )
    const begun = log.flatMap((event) =>
      event._tag === "TranscodePlanned" ? [event.transcode] : [],
    )
    expect(begun.filter((transcode) => !ended.includes(transcode))).toEqual([])
  }
}, 300_000)
