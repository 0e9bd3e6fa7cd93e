/** What holds in every history, however its events are disordered. `SEEDS=500` for more histories. */
import { expect, test } from "bun:test"
import { streamOf } from "./decide.ts"
import type { SchedulingEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { match, readyTasks } from "./match.ts"
import { keyOf, noQueues, type Queues, type Transcode, transcodeOf } from "./queues.ts"
import { history, holders } from "./testing.ts"

/** The three queues as a person would list them; what replays must agree on. */
const shown = (queues: Queues) =>
  JSON.stringify([
    queues.epoch,
    queues.tick,
    readyTasks(queues).map(({ id, failures, losses }) => [id, failures, losses]),
    [...queues.running.keys()].sort(),
    [...queues.workers.values()].map(({ id, free, lastTick }) => [id, free, lastTick]).sort(),
    [...queues.waiting].sort(),
    [...queues.transcodes.keys()].sort(),
  ])

const openOf = (queues: Queues, taskId: string) => {
  const transcode = queues.transcodes.get(transcodeOf(taskId))
  return transcode?.outcome === undefined ? transcode : undefined
}

/** The tasks there should be, from scratch: by what is done and which pieces are for whom. */
const dueTasks = ({ id, steps, done, pieces, tasks }: Transcode) => {
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
  return steps.flatMap(({ name, after, each, group }) => {
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

const holds = (queues: Queues, log: ReadonlyArray<SchedulingEvent>) => {
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

    const kept = log.filter((event) => streamOf(event).startsWith("transcode-")) // others expire
    expect(kept.reduce(evolve, noQueues()).transcodes.size).toBe(0)

    const third = Math.floor(log.length / 3)
    const snapshot = structuredClone(log.slice(0, third).reduce(evolve, noQueues()))
    expect(shown(log.slice(third).reduce(evolve, snapshot))).toBe(shown(auditor))

    const isEnd = /^Transcode(Completed|Failed|Cancelled)$/
    const ended = log.flatMap((event) =>
      isEnd.test(event._tag) && "transcode" in event ? [event.transcode] : [],
    )
    const begun = log.flatMap((event) =>
      event._tag === "TranscodePlanned" ? [event.transcode] : [],
    )
    expect(begun.filter((transcode) => !ended.includes(transcode))).toEqual([])
  }
}, 300_000)
