import { expect, test } from "bun:test"
import { WorkerId } from "#domain/ids.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import { contextOf, emittedFor, inputsOf, taskName } from "./context.ts"
import { pieces, planned, transcode, videoId } from "./testing.ts"

const worker = WorkerId.make("locw000000000000001")
const other = WorkerId.make("locw000000000000002")
const succeeded = (
  step: string,
  outputs: Record<string, string>,
  by = worker,
): SchedulingEvent => ({
  _tag: "TaskSucceeded",
  videoId,
  taskId: `${transcode}/${step}`,
  attempt: 1,
  worker: by,
  outputs,
})
const emitted = (n: number): SchedulingEvent => ({
  _tag: "TaskEmitted",
  videoId,
  taskId: `${transcode}/split`,
  worker,
  pieces: pieces.filter(({ piece }) => piece.n === n).map(({ piece }) => piece),
})
const inputs = (step: string, n: number | undefined, ...events: ReadonlyArray<SchedulingEvent>) => {
  const context = contextOf(transcode, [planned, ...events])
  const found = context.steps.find(({ name }) => name === step)
  return found === undefined ? {} : inputsOf(context, found, n)
}

test("a task's name says its video, run, step and piece", () => {
  expect(taskName(`${transcode}/encode-video:r1/3`)).toEqual({
    videoId,
    transcode,
    run: 1,
    step: "encode-video:r1",
    n: 3,
  })
})

test("an input is what the task before has told, and the first success counts", () => {
  const found = inputs(
    "split",
    undefined,
    succeeded("inspect", { media: "first" }),
    succeeded("inspect", { media: "second" }, other),
  )
  expect(found).toMatchObject({ source: videoId, media: "first" })
})

test("a mapped task finds its own piece", () => {
  expect(inputs("encode-video:r1", 1, emitted(0), emitted(1)).chunk).toEqual(pieces[1]?.piece)
})

test("a gathering task finds what all pieces of all groups have told, in order", () => {
  const found = inputs(
    "package",
    undefined,
    emitted(1),
    emitted(0),
    succeeded("encode-video:r1/1", { segments: "low 1" }),
    succeeded("encode-video:r2/0", { segments: "high 0" }),
    succeeded("encode-video:r1/0", { segments: "low 0" }),
  )
  expect(found.video).toEqual(["low 0", "high 0", "low 1"])
})

test("another run of the same video is another story", () => {
  const context = contextOf(`${videoId}.2`, [planned, succeeded("inspect", { media: "old" })])
  expect(context.steps).toEqual([])
  expect(context.outputs.size).toBe(0)
})

test("the pieces that an emitting task told are found by the input that names its result", () => {
  const sound: SchedulingEvent = {
    _tag: "TaskEmitted",
    videoId,
    taskId: `${transcode}/encode-audio`,
    worker,
    pieces: [
      { n: 1, facts: {} },
      { n: 0, facts: {} },
    ],
  }
  const context = contextOf(transcode, [planned, sound])
  const step = context.steps.find(({ name }) => name === "package")
  expect(step && emittedFor(context, step, "audio").map(({ n }) => n)).toEqual([0, 1])
})
