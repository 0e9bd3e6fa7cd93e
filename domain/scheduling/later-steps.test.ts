import { describe, expect, test } from "bun:test"
import { decide } from "./decide.ts"
import type { SchedulingEvent, Step } from "./events.ts"
import { evolve } from "./evolve.ts"
import { readyTasks } from "./match.ts"
import { noQueues, type Queues } from "./queues.ts"
import { channelIdOf, types, videoIdOf, workerIdOf } from "./testing.ts"

const w = workerIdOf(0)
const steps: ReadonlyArray<Step> = [
  { name: "split", type: "split", after: [] },
  { name: "encode", type: "encode", each: "split", after: ["split"], first: true },
  { name: "package", type: "package", after: ["encode"] },
  { name: "more", type: "encode", each: "split", after: ["split"], later: true },
  { name: "pack-more", type: "package", after: ["more", "package"], later: true },
]
const planned = (video: number): SchedulingEvent => ({
  ...{ _tag: "TranscodePlanned", videoId: videoIdOf(video), transcode: `${videoIdOf(video)}.1` },
  ...{ channelId: channelIdOf(0), service: "standard", pipeline: "test", steps, config: {} },
})
const videoId = videoIdOf(0)
const transcode = `${videoId}.1`
const lease = (name: string) => ({
  ...{ videoId, taskId: `${transcode}/${name}`, attempt: 1, worker: w },
})
const succeeded = (name: string): SchedulingEvent => ({
  ...{ _tag: "TaskSucceeded", ...lease(name), outputs: {} },
})
const completed: SchedulingEvent = {
  ...{ _tag: "TranscodeCompleted", videoId, transcode, goesOn: true },
}
const made: ReadonlyArray<SchedulingEvent> = [
  { _tag: "SchedulerStarted", cell: "loc", epoch: 1 },
  { _tag: "WorkerStarted", worker: w, can: types, slots: 4 },
  planned(0),
  { _tag: "TaskEmitted", videoId, taskId: `${transcode}/split`, worker: w, pieces: [{ n: 0 }] },
  ...["split", "encode/0"].map(succeeded),
]

const after = (...events: ReadonlyArray<SchedulingEvent>) => events.reduce(evolve, noQueues())
const readyIn = (queues: Queues) =>
  readyTasks(queues).map(({ id }) => id.replace(`${transcode}/`, ""))
const owed = (queues: Queues) =>
  decide(queues).filter(({ _tag }) => _tag.startsWith("Transcode") && _tag !== "TranscodePlayable")

describe("a later step", () => {
  test("waits until the transcode is complete, and no end waits for it", () => {
    expect(readyIn(after(...made))).toEqual(["package"])
    const whole = after(...made, succeeded("package"))
    expect(readyIn(whole)).toEqual([])
    expect(owed(whole)).toEqual([completed])
    expect(readyIn(evolve(whole, completed))).toEqual(["more/0"])
  })

  test("stands behind the videos that came after its own", () => {
    const queues = after(...made, succeeded("package"), completed, planned(1))
    expect(readyIn(queues).sort()).toEqual([`${videoIdOf(1)}.1/split`, "more/0"].sort())
    const [first] = readyTasks(queues).toSorted((a, b) => a.rank - b.rank)
    expect(first?.id).toBe(`${videoIdOf(1)}.1/split`)
  })

  test("that is given up fails nothing, and the end of all is told apart", () => {
    const failed: SchedulingEvent = {
      ...{ _tag: "TaskFailed", ...lease("more/0"), code: "encoder_crashed", recoverable: false },
    }
    const assigned: SchedulingEvent = { _tag: "TaskAssigned", epoch: 1, ...lease("more/0") }
    const queues = after(...made, succeeded("package"), completed, assigned, failed)
    expect(readyIn(queues)).toEqual(["pack-more"])
    const extended: SchedulingEvent = { _tag: "TranscodeExtended", videoId, transcode }
    evolve(queues, succeeded("pack-more"))
    expect(owed(queues)).toEqual([extended])
    expect(evolve(queues, extended).transcodes.size).toBe(0)
  })

  test("of a transcode that was told to be complete before goes on after a restart", () => {
    const snapshot = structuredClone(after(...made, succeeded("package"), completed))
    expect(readyIn(evolve(snapshot, completed))).toEqual(["more/0"])
  })
})
