import { expect, test } from "bun:test"
import { Effect, Layer, Schema, type Scope } from "effect"
import { segment, temp } from "#domain/keys.ts"
import type { Piece } from "#domain/scheduling/events.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { doneOnce } from "./done-once.ts"
import { json } from "./objects.ts"
import { type Stage, stage, type Task } from "./stage.ts"
import { mediaTools, uploadWhole, videoId, withScratch } from "./testing.ts"

const surroundings = Layer.provideMerge(
  withScratch(),
  Layer.mergeAll(memoryEventStore, memoryObjectStore, mediaTools()),
)
const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof surroundings> | Scope.Scope>) =>
  Effect.runPromise(Effect.provide(Effect.scoped(effect), surroundings))

const bytes = new Uint8Array(100).fill(7)

/** A stage that writes one segment and tells one piece, and how often it worked. */
const counted = () => {
  let times = 0
  const work: Stage = stage(
    Schema.Struct({ rung: Schema.String }),
    Effect.fnUntraced(function* (task, { rung }) {
      times += 1
      const objects = yield* ObjectStore
      const key = segment(task.videoId, task.run, rung, 0)
      yield* objects.put(key, json(`made ${times}`), { contentType: "video/mp4" })
      yield* task.emit([{ n: 0 }])
      return { outputs: { segments: { key } }, cpuSeconds: 1 }
    }),
  )
  return { work: doneOnce("EncodeVideo", work), times: () => times }
}

/** The task of a piece in some run of the video. */
const taskOf = (run: number, more: Partial<Task> = {}) => {
  const told: Array<Piece> = []
  const task: Task = {
    ...{ videoId, transcode: `${videoId}.${run}`, run, step: "encode-video", n: 0 },
    ...{ taskId: "t", key: "t", group: "all", channelId: "rick", isHurried: false },
    emittedFor: () => [],
    toldOf: () => [],
    emit: (pieces) => Effect.sync(() => told.push(...pieces)),
    ...more,
  }
  return { task, told }
}
const planPiece = (run: number, to: number) =>
  Effect.flatMap(ObjectStore, (objects) =>
    objects.put(temp(videoId, run, "split/0.json"), json({ ranges: [{ from: 0, to }] })),
  )

test("the same work of a channel is done once, and each run has its own copy of it", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 50)
      yield* planPiece(1, 50)
      yield* planPiece(2, 50)
      const { work, times } = counted()
      const first = taskOf(1)
      yield* work(first.task, { rung: "720p" })
      const second = taskOf(2)
      const result = yield* work(second.task, { rung: "720p" })
      expect(times()).toBe(1)
      expect(result).toMatchObject({
        outputs: { segments: { key: segment(videoId, 2, "720p", 0) }, work: { way: "reused" } },
        cpuSeconds: 0,
      })
      expect(second.told).toEqual(first.told)
      const objects = yield* ObjectStore
      const copy = yield* objects.get(segment(videoId, 2, "720p", 0))
      expect(copy).toEqual(yield* objects.get(segment(videoId, 1, "720p", 0)))
    }),
  ))

test("what was copied can be copied again when what it was taken of is gone", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 50)
      for (const each of [1, 2, 3]) yield* planPiece(each, 50)
      const { work, times } = counted()
      yield* work(taskOf(1).task, { rung: "720p" })
      yield* work(taskOf(2).task, { rung: "720p" })
      const objects = yield* ObjectStore
      yield* objects.remove([segment(videoId, 1, "720p", 0)])
      yield* work(taskOf(3).task, { rung: "720p" })
      expect(times()).toBe(1)
      expect((yield* objects.head(segment(videoId, 3, "720p", 0))).byteLength).toBeGreaterThan(0)
    }),
  ))

test("other bytes, other inputs, another mode or another channel is other work", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 50)
      for (const number of [1, 2, 3, 4, 5]) yield* planPiece(number, number === 2 ? 60 : 50)
      const { work, times } = counted()
      yield* work(taskOf(1).task, { rung: "720p" })
      yield* work(taskOf(2).task, { rung: "720p" })
      yield* work(taskOf(3).task, { rung: "480p" })
      yield* work(taskOf(4, { isHurried: true }).task, { rung: "720p" })
      yield* work(taskOf(5, { channelId: "other" }).task, { rung: "720p" })
      expect(times()).toBe(5)
    }),
  ))

test("work whose objects are gone is done again", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 50)
      yield* planPiece(1, 50)
      yield* planPiece(2, 50)
      const { work, times } = counted()
      yield* work(taskOf(1).task, { rung: "720p" })
      yield* (yield* ObjectStore).remove([segment(videoId, 1, "720p", 0)])
      yield* work(taskOf(2).task, { rung: "720p" })
      expect(times()).toBe(2)
    }),
  ))
