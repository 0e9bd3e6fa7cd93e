import { expect, test } from "bun:test"
import { Deferred, Effect, Fiber, Layer, Schema, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { DomainEvent } from "#domain/events.ts"
import { Cell, inboxStream, transcodeStream, type WorkerId, workerStream } from "#domain/ids.ts"
import { verifyChain } from "#infra/event-store/chain.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { lives } from "./life.ts"
import { type Stage, stage } from "./stage.ts"
import {
  eventually,
  mediaTools,
  planned,
  record,
  told,
  transcode,
  videoId,
  withScratch,
} from "./testing.ts"

const surroundings = Layer.provideMerge(
  withScratch(),
  Layer.mergeAll(memoryEventStore, memoryObjectStore, mediaTools()),
)
const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof surroundings> | Scope.Scope>) =>
  Effect.runPromise(Effect.provide(Effect.scoped(effect), surroundings))

const cell = Cell.make("loc")
const taskId = `${transcode}/inspect`
const is =
  <Tag extends DomainEvent["_tag"]>(tag: Tag) =>
  (event: DomainEvent): event is Extract<DomainEvent, { _tag: Tag }> =>
    event._tag === tag

const assign = (worker: WorkerId, attempt = 1) =>
  record(inboxStream(worker), { _tag: "TaskAssigned", videoId, taskId, attempt, worker, epoch: 1 })

/** A stage that lasts until it is stopped, and tells when it began and when its child died. */
const endless = Effect.gen(function* () {
  const began = yield* Deferred.make<void>()
  const killed = yield* Deferred.make<void>()
  const work: Stage = stage(Schema.Unknown, () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(Deferred.succeed(began, undefined), () =>
        Deferred.succeed(killed, undefined),
      )
      return yield* Effect.never
    }),
  )
  return { began, killed, stages: { Inspect: work } }
})

test("a worker joins under an id of its cell, with what it can", () =>
  run(
    Effect.gen(function* () {
      const { stages } = yield* endless
      yield* Effect.forkScoped(lives({ cell, slots: 3, stages }))
      const started = yield* eventually(is("WorkerStarted"))
      expect(started).toMatchObject({ can: ["Inspect"], slots: 3 })
      expect(started.worker).toMatch(/^loc[0-9a-hjkmnp-tv-z]{16}$/)
    }),
  ))

test("a revoked task is stopped and given back", () =>
  run(
    Effect.gen(function* () {
      const { began, killed, stages } = yield* endless
      yield* record(transcodeStream(videoId), planned)
      yield* Effect.forkScoped(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      yield* assign(worker)
      yield* Deferred.await(began)
      const lease = { videoId, taskId, attempt: 1, worker }
      yield* record(inboxStream(worker), { _tag: "TaskRevoked", ...lease, epoch: 1 })
      expect(yield* eventually(is("TaskReleased"))).toEqual({ _tag: "TaskReleased", ...lease })
      expect(yield* Deferred.isDone(killed)).toBe(true)
    }),
  ))

test("a revoked task that never came here is answered too", () =>
  run(
    Effect.gen(function* () {
      const { stages } = yield* endless
      yield* Effect.forkScoped(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      const lease = { videoId, taskId, attempt: 7, worker }
      yield* record(inboxStream(worker), { _tag: "TaskRevoked", ...lease, epoch: 1 })
      expect(yield* eventually(is("TaskReleased"))).toMatchObject(lease)
    }),
  ))

test("a worker that was declared lost kills what it runs and comes back under a new id", () =>
  run(
    Effect.gen(function* () {
      const { began, killed, stages } = yield* endless
      yield* record(transcodeStream(videoId), planned)
      yield* Effect.forkScoped(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      yield* assign(worker)
      yield* Deferred.await(began)
      yield* record(inboxStream(worker), { _tag: "WorkerLost", worker, epoch: 1 })
      yield* Deferred.await(killed)
      const isNewcomer = (
        event: DomainEvent,
      ): event is Extract<DomainEvent, { _tag: "WorkerStarted" }> =>
        event._tag === "WorkerStarted" && event.worker !== worker
      expect((yield* eventually(isNewcomer)).slots).toBe(1)
      expect((yield* told).map(({ _tag }) => _tag)).toEqual(["TranscodePlanned"])
    }),
  ))

test("a worker that is stopped says so and gives every task back", () =>
  run(
    Effect.gen(function* () {
      const { began, killed, stages } = yield* endless
      yield* record(transcodeStream(videoId), planned)
      const fiber = yield* Effect.forkChild(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      yield* assign(worker)
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      expect(yield* Deferred.isDone(killed)).toBe(true)
      expect((yield* told).map(({ _tag }) => _tag)).toEqual(["TranscodePlanned", "TaskReleased"])
      const own = yield* (yield* EventStore).read(workerStream(worker))
      expect(own.map(({ event }) => event._tag)).toEqual(["WorkerStarted", "WorkerStopping"])
      expect(verifyChain(own)).toEqual([])
    }),
  ))

test("what was assigned to a worker that has just stopped is given back unread", () =>
  run(
    Effect.gen(function* () {
      const { stages } = yield* endless
      yield* record(transcodeStream(videoId), planned)
      const fiber = yield* Effect.forkChild(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* eventually(is("WorkerStopping"))
      yield* assign(worker)
      expect(yield* eventually(is("TaskReleased"))).toMatchObject({ taskId, worker })
      yield* Fiber.join(stopping)
    }),
  ))

test("no more tasks run at once than there are slots", () =>
  run(
    Effect.gen(function* () {
      const { began, stages } = yield* endless
      let running = 0
      const counted: Stage = (task, inputs) => {
        running += 1
        return stages.Inspect(task, inputs)
      }
      yield* record(transcodeStream(videoId), planned)
      yield* Effect.forkScoped(lives({ cell, slots: 1, stages: { Inspect: counted } }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      yield* assign(worker, 1)
      yield* assign(worker, 2)
      yield* Deferred.await(began)
      yield* Effect.yieldNow
      expect(running).toBe(1)
    }),
  ))

/** Time passes as far as the others need it to: fibers get their turn between two steps. */
const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds }),
    () => Effect.andThen(TestClock.adjust("1 second"), Effect.yieldNow),
    { discard: true },
  )
const signsOfLife = (worker: WorkerId) =>
  Effect.map(
    Effect.flatMap(EventStore, (store) => store.read(workerStream(worker))),
    (own) => own.filter(({ event }) => event._tag === "WorkerSeen").length,
  )

test("a worker that has nothing to tell says that it lives, more often while it works", () =>
  run(
    Effect.gen(function* () {
      const { began, stages } = yield* endless
      yield* record(transcodeStream(videoId), planned)
      const fiber = yield* Effect.forkChild(lives({ cell, slots: 1, stages }))
      const { worker } = yield* eventually(is("WorkerStarted"))
      yield* pass(59)
      expect(yield* signsOfLife(worker)).toBe(0)
      yield* pass(2)
      expect(yield* signsOfLife(worker)).toBe(1)
      yield* assign(worker)
      yield* Deferred.await(began)
      yield* pass(12)
      expect(yield* signsOfLife(worker)).toBe(3)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* pass(9)
      yield* Fiber.join(stopping)
    }).pipe(Effect.provide(TestClock.layer())),
  ))
