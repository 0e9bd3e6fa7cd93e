import { expect, test } from "bun:test"
import { Effect } from "effect"
import { WorkerId, workerStream } from "#domain/ids.ts"
import { verifyChain } from "#infra/event-store/chain.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ownStream } from "./own-stream.ts"

const worker = WorkerId.make("loc0000000000000001")
const stream = workerStream(worker)
const started = { _tag: "WorkerStarted", worker, can: ["Split"], slots: 1 } as const
const seen = { _tag: "WorkerSeen", worker } as const
const run = <A, E>(effect: Effect.Effect<A, E, EventStore>) =>
  Effect.runPromise(Effect.provide(effect, memoryEventStore))

test("the events of an own stream are one chain", () =>
  run(
    Effect.gen(function* () {
      const own = yield* ownStream(stream)
      yield* own.append([started], { cause: "start", actor: worker })
      yield* Effect.forEach(
        [1, 2, 3],
        (n) => own.append([seen], { cause: `seen ${n}`, actor: worker }),
        { concurrency: "unbounded" },
      )
      const recorded = yield* (yield* EventStore).read(stream)
      expect(recorded.map(({ revision }) => revision)).toEqual([0, 1, 2, 3])
      expect(own.revision()).toBe(3)
      expect(verifyChain(recorded)).toEqual([])
    }),
  ))

test("a second writer of the stream is found out", () =>
  run(
    Effect.gen(function* () {
      const own = yield* ownStream(stream)
      const rival = yield* ownStream(stream)
      yield* own.append([started], { cause: "start", actor: worker })
      const conflict = yield* Effect.flip(rival.append([seen], { cause: "rival", actor: "rival" }))
      expect(conflict._tag).toBe("RevisionConflict")
    }),
  ))
