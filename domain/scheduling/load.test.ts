import { expect, test } from "bun:test"
import { decide } from "./decide.ts"
import { evolve } from "./evolve.ts"
import type { QueueFact } from "./queue-fact.ts"
import { noQueues } from "./queues.ts"
import { cell, planned, videoIdOf, workerIdOf } from "./testing.ts"

const worker = workerIdOf(0)

/** Videos that have been inspected: of each, one task of 9 s in an encoder. */
const queued = (videos: number) => {
  const facts = Array.from({ length: videos }, (_, number): ReadonlyArray<QueueFact> => {
    const videoId = videoIdOf(number)
    const taskId = `${videoId}.1/inspect`
    const inspected = { videoId, taskId, attempt: 1, worker, outputs: {} }
    return [planned(number, 0), { _tag: "TaskSucceeded", ...inspected }]
  })
  const began: ReadonlyArray<QueueFact> = [
    { _tag: "WorkerStarted", worker, can: ["encode"], slots: 2 },
    { _tag: "SchedulerStarted", cell, epoch: 1 },
  ]
  return [...facts.flat(), ...began].reduce(evolve, noQueues())
}
const hurries = (videos: number) =>
  decide(queued(videos)).flatMap((event) => (event._tag === "TaskAssigned" ? [event.hurry] : []))

test("tasks are assigned in a hurry when more than an hour of them is queued for each slot", () => {
  expect(hurries(800)).toEqual([undefined, undefined]) // 2 slots do 800 x 9 s in an hour
  expect(hurries(801)).toEqual([true, true])
})
