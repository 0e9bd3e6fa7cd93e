import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Result } from "effect"
import { parse } from "yaml"
import { readPipeline, stepsOf } from "#domain/transcode/pipeline.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import type { SchedulingEvent } from "./events.ts"
import { evolve } from "./evolve.ts"
import { readyTasks } from "./match.ts"
import { queueFactOf } from "./queue-fact.ts"
import { noQueues } from "./queues.ts"
import { planned, videoIdOf, workerIdOf } from "./testing.ts"

const yaml = readFileSync(join(import.meta.dir, "../transcode/default.yaml"), "utf8")
const steps = stepsOf(Result.getOrThrow(readPipeline(parse(yaml))), builtInTypes)
const videoId = videoIdOf(0)
const transcode = `${videoId}.1`

const succeeded = (step: string, groups?: ReadonlyArray<string>): SchedulingEvent => ({
  ...{ _tag: "TaskSucceeded", videoId, taskId: `${transcode}/${step}`, attempt: 0 },
  ...{ worker: workerIdOf(1), outputs: {}, cpuSeconds: 1 },
  ...(groups === undefined ? {} : { groups }),
})
const pieces = Array.from({ length: 300 }, (_, n) => ({
  ...{ n, groups: n < 2 ? ["r1", "r2", "r3"] : ["all"] },
}))

test("the pictures of a long video are taken when all of it is there, long before its last piece", () => {
  const queues = noQueues()
  const happened: ReadonlyArray<SchedulingEvent> = [
    { _tag: "SchedulerStarted", cell: "loc", epoch: 1 },
    { ...planned(0, 0), steps } as SchedulingEvent,
    succeeded("inspect", ["r1", "r2", "r3", "all"]),
    { _tag: "TaskEmitted", videoId, taskId: `${transcode}/split`, attempt: 0, pieces } as never,
    succeeded("split"),
  ]
  for (const [revision, event] of happened.entries()) {
    const fact = queueFactOf(event, revision)
    if (fact !== undefined) evolve(queues, fact)
  }
  const names = readyTasks(queues).map(({ id }) => id.slice(transcode.length + 1))
  const behind = (name: string) => names.length - names.indexOf(name)
  expect(names).toContain("encode-video:all/299")
  // Behind the first seconds alone: what is watched first is never held up.
  expect(names.slice(0, 3).sort()).toEqual([
    ...["encode-audio", "encode-video:r1/0", "encode-video:r1/1"],
  ])
  for (const name of ["thumbnails", "storyboard"]) {
    expect(names.indexOf(name)).toBeGreaterThan(2)
    expect(behind(name)).toBeGreaterThan(298)
  }
})
