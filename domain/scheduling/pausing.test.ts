import { expect, test } from "bun:test"
import { evolve } from "./evolve.ts"
import { match, readyTasks } from "./match.ts"
import type { QueueFact } from "./queue-fact.ts"
import { hasWork, noQueues, type Queues } from "./queues.ts"
import { cell, channelIdOf, newsOf, planned, videoIdOf, workerIdOf } from "./testing.ts"

const videoId = videoIdOf(0)
const transcode = `${videoId}.1`
const worker = workerIdOf(0)
const lease = (attempt: number) => ({
  ...{ videoId, taskId: `${transcode}/inspect`, attempt, worker },
})
const assigned = (attempt = 1): QueueFact => ({ _tag: "TaskAssigned", epoch: 1, ...lease(attempt) })
const gaveUp = (heard: number, attempt = 1): QueueFact => ({
  ...{ _tag: "TaskReleased", ...lease(attempt), heard },
})
const then = (queues: Queues, ...facts: ReadonlyArray<QueueFact>) => facts.reduce(evolve, queues)
/** An upload of which event 3 was heard, and a worker with one slot that inspects. */
const begun = () =>
  then(
    noQueues(),
    newsOf(0, 3),
    planned(0, 0),
    { _tag: "WorkerStarted", worker, can: ["probe"], slots: 1 },
    { _tag: "SchedulerStarted", cell, epoch: 1 },
  )
const isOffered = (queues: Queues) => readyTasks(queues).some(({ id }) => id.endsWith("/inspect"))

test("a task whose upload is silent gives its slot to others until the upload goes on", () => {
  const queues = then(begun(), assigned(), gaveUp(3))
  expect(queues.workers.get(worker)?.free).toBe(1)
  expect(match(queues)).toEqual([])
  then(queues, planned(1, 1))
  expect(match(queues).map((pair) => pair.videoId)).toEqual([videoIdOf(1)])
  then(queues, newsOf(0, 4))
  expect(isOffered(queues)).toBe(true)
})

test("it is offered at once when news came that it had not heard", () => {
  expect(isOffered(then(begun(), assigned(), newsOf(0, 4), gaveUp(3)))).toBe(true)
})

test("it is offered when the upload is complete, even if the next try had not heard of that", () => {
  const queues = then(begun(), assigned(), gaveUp(3), newsOf(0, 4, true))
  expect(isOffered(queues)).toBe(true)
  expect(isOffered(then(queues, assigned(2), gaveUp(3, 2)))).toBe(true)
})

test("it costs its channel nothing, and no tick passes for it", () => {
  const queues = begun()
  const shareOf = () => queues.channels.get(channelIdOf(0))?.share
  const share = shareOf()
  then(queues, {
    _tag: "TaskSucceeded",
    ...lease(1),
    taskId: `${transcode}/watermark`,
    outputs: {},
  })
  then(queues, assigned(), gaveUp(3))
  expect(hasWork(queues)).toBe(false)
  then(queues, newsOf(0, 4))
  expect(shareOf()).toBe(share)
})

test("it is never offered when its transcode was cancelled", () => {
  const queues = then(begun(), assigned(), gaveUp(3))
  then(queues, { _tag: "TranscodeCancelled", videoId, transcode }, newsOf(0, 4))
  expect(isOffered(queues)).toBe(false)
})
