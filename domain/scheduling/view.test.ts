import { expect, test } from "bun:test"
import type { SchedulingEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { noQueues } from "./queues.ts"
import { cell, planned, videoIdOf, workerIdOf } from "./testing.ts"
import { queuesView } from "./view.ts"

test("the queues show what is ready, who is free, what runs and what nobody can run", () => {
  const videoId = videoIdOf(0)
  const worker = workerIdOf(0)
  const taskId = `${videoId}.1/inspect`
  const past: ReadonlyArray<SchedulingEvent> = [
    planned(0, 0),
    { _tag: "WorkerStarted", worker, can: ["probe"], slots: 2 },
    { _tag: "SchedulerStarted", cell, epoch: 1 },
    { _tag: "TaskAssigned", epoch: 1, videoId, taskId, attempt: 1, worker },
  ]
  const view = queuesView(past.reduce(evolve, noQueues()))
  expect(JSON.parse(JSON.stringify(view))).toEqual(view)
  expect(view.taskQueue.map(({ step }) => step)).toEqual(["watermark"])
  expect(view.workerQueue).toMatchObject([{ worker, free: 1, ticksLeft: 15 }])
  expect(view.runningQueue).toMatchObject([{ taskId, worker, attempt: 1, step: "inspect" }])
  expect(view.nobodyCan).toEqual([{ type: "image", count: 1 }])
})

test("a type that only a stopping worker takes is one that nobody can run", () => {
  const past: ReadonlyArray<SchedulingEvent> = [
    planned(0, 0),
    { _tag: "WorkerStarted", worker: workerIdOf(0), can: ["probe", "image"], slots: 2 },
    { _tag: "WorkerStopping", worker: workerIdOf(0) },
  ]
  const view = queuesView(past.reduce(evolve, noQueues()))
  expect(view.nobodyCan.map(({ type }) => type).sort()).toEqual(["image", "probe"])
})
