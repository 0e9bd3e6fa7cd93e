import { describe, expect, test } from "bun:test"
import { Effect, Layer, Logger, type Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  inboxStream,
  schedulerStream,
  transcodeStream,
  uploadStream,
  VideoId,
  WorkerId,
} from "#domain/ids.ts"
import { UNBEGUN_TICKS } from "#domain/policy.ts"
import { keyOf } from "#domain/scheduling/queues.ts"
import { verifyChain } from "#infra/event-store/chain.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { scheduler } from "./app.ts"
import { defaultPlan } from "./default-pipeline.ts"
import { sealOf } from "./recording.ts"
import {
  cell,
  count,
  everything,
  fakeWorker,
  has,
  kill,
  pass,
  passUntil,
  reinstate,
  say,
  takeDown,
  ticksPass,
  uploadBegins,
  uploadIsRequested,
  videoIsCreated,
} from "./testing.ts"

const videoId = VideoId.make("loc0000000000000001")
const [light, encode] = ["loc000000000000000a", "loc000000000000000b"].map((id) =>
  WorkerId.make(id),
)
const lightTypes = ["Inspect", "Split", "EncodeAudio", "Package", "Publish"]
const encodeTypes = ["EncodeVideo", "ExtractText", "Thumbnails", "Storyboard"]

const run = <A, E>(effect: Effect.Effect<A, E, EventStore | Scope.Scope>) =>
  Effect.runPromise(
    effect.pipe(
      Effect.scoped,
      Effect.provide(Layer.mergeAll(memoryEventStore, Logger.layer([]), TestClock.layer())),
    ),
  )

const startScheduler = Effect.fnUntraced(function* (rank: number) {
  const plan = yield* defaultPlan
  return yield* Effect.forkScoped(scheduler({ cell, rank }, plan))
})
const startWorkers = Effect.gen(function* () {
  if (!light || !encode) return yield* Effect.die("unreachable")
  yield* Effect.forkScoped(fakeWorker(light, lightTypes))
  yield* Effect.forkScoped(fakeWorker(encode, encodeTypes))
})

describe("a scheduler", () => {
  test("carries a video from its first part to its end", () =>
    run(
      Effect.gen(function* () {
        yield* startScheduler(0)
        yield* startWorkers
        yield* uploadBegins(videoId)
        yield* passUntil(has("TranscodeCompleted"))
        const log = yield* everything
        expect(count(log, "TranscodePlanned")).toBe(1)
        expect(count(log, "TranscodePlayable")).toBe(1)
        // inspect, split, 2 x 2 + 1 pieces, audio, 2 pictures, package, publish
        expect(count(log, "TaskAssigned")).toBe(13)
        expect(count(log, "TaskRevoked")).toBe(0)
      }),
    ))

  test("chains what only it writes, and seals what many write", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        yield* startScheduler(0)
        yield* startWorkers
        yield* uploadBegins(videoId)
        yield* passUntil(has("TranscodeCompleted"))
        yield* pass(40)
        for (const stream of [schedulerStream(cell), inboxStream(light ?? "")]) {
          const history = yield* store.read(stream)
          expect(history.length).toBeGreaterThan(1)
          expect(verifyChain(history)).toEqual([])
        }
        const history = yield* store.read(transcodeStream(videoId))
        for (const { event } of history) {
          if (event._tag !== "TranscodeCompleted") continue
          const covered = Number(event.digest?.split(":")[0])
          expect(covered).toBeGreaterThan(10)
          expect(event.digest).toBe(sealOf(history.slice(0, covered)))
        }
        const [first] = history
        expect(first?.metadata.$correlationId).toMatch(/^said /) // of the upload
      }),
    ))

  test("ticks each second while there is work, else every 30", () =>
    run(
      Effect.gen(function* () {
        yield* startScheduler(0)
        yield* pass(61)
        expect(count(yield* everything, "SchedulerTicked")).toBe(3)
        yield* uploadBegins(videoId) // nobody is there to work
        yield* passUntil(has("TranscodePlanned"))
        const before = count(yield* everything, "SchedulerTicked")
        yield* pass(10)
        expect(count(yield* everything, "SchedulerTicked") - before).toBe(10)
      }),
    ))

  test("stops what runs when the video is taken down, and begins again when it is back", () =>
    run(
      Effect.gen(function* () {
        if (!light) return
        yield* startScheduler(0)
        yield* Effect.forkScoped(fakeWorker(light, lightTypes, (step) => step !== "split"))
        yield* uploadBegins(videoId)
        yield* passUntil((log) => count(log, "TaskAssigned") >= 3)
        yield* takeDown(videoId)
        yield* passUntil(has("TaskReleased"))
        expect(has("TranscodeCancelled")(yield* everything)).toBe(true)
        yield* reinstate(videoId)
        yield* passUntil((log) => count(log, "TranscodePlanned") === 2)
        const runs = (yield* everything).flatMap((event) =>
          event._tag === "TranscodePlanned" ? [event.transcode] : [],
        )
        expect(runs).toEqual([`${videoId}.1`, `${videoId}.2`])
      }),
    ))

  test("takes a silent worker's tasks back and gives them to another", () =>
    run(
      Effect.gen(function* () {
        if (!light || !encode) return
        yield* startScheduler(0)
        const dead = yield* Effect.forkScoped(fakeWorker(light, lightTypes, () => false))
        yield* uploadBegins(videoId)
        yield* passUntil(has("TaskAssigned"))
        yield* kill(dead)
        yield* Effect.forkScoped(fakeWorker(encode, [...lightTypes, ...encodeTypes]))
        const seconds = yield* passUntil(has("WorkerLost"))
        expect(seconds).toBeGreaterThanOrEqual(10)
        expect(seconds).toBeLessThanOrEqual(17)
        yield* passUntil(has("TranscodeCompleted"))
      }),
    ))

  test("ends an upload that nobody goes on with", () =>
    run(
      Effect.gen(function* () {
        yield* startScheduler(0)
        yield* uploadIsRequested(videoId)
        // Time is what the log says.
        yield* ticksPass(UNBEGUN_TICKS)
        expect(has("UploadExpired")(yield* everything)).toBe(false)
        yield* passUntil(has("UploadExpired"))
        yield* pass(40)
        expect(count(yield* everything, "UploadExpired")).toBe(1)
      }),
    ))
})

test("a video of which no upload was ever asked for is ended by the scheduler", () =>
  run(
    Effect.gen(function* () {
      const store = yield* EventStore
      yield* startScheduler(0)
      yield* videoIsCreated(videoId)
      yield* ticksPass(UNBEGUN_TICKS)
      expect(has("UploadExpired")(yield* everything)).toBe(false)
      yield* passUntil(has("UploadExpired"))
      yield* pass(40)
      const history = yield* store.read(uploadStream(videoId))
      expect(history.map(({ event, revision }) => [event._tag, revision])).toEqual([
        ["UploadExpired", 0],
      ])
    }),
  ))

describe("of two schedulers", () => {
  const epochs = (log: ReadonlyArray<{ readonly _tag: string; readonly epoch?: number }>) =>
    log.flatMap(({ _tag, epoch }) => (_tag === "SchedulerStarted" ? [epoch] : []))

  test("only the first candidate takes office while it speaks", () =>
    run(
      Effect.gen(function* () {
        yield* startScheduler(1)
        yield* startScheduler(0)
        yield* pass(200)
        expect(epochs(yield* everything)).toEqual([1])
        yield* uploadBegins(videoId) // work begins while the last tick is old
        yield* pass(20)
        expect(epochs(yield* everything)).toEqual([1])
      }),
    ))

  test("the standby takes over 3 s and its rank after the last tick, and nothing is lost", () =>
    run(
      Effect.gen(function* () {
        const first = yield* startScheduler(0)
        yield* startScheduler(1)
        yield* pass(2)
        yield* uploadBegins(videoId)
        yield* passUntil(has("TranscodePlanned"))
        yield* kill(first)
        yield* startWorkers
        const seconds = yield* passUntil((log) => count(log, "SchedulerStarted") === 2)
        expect(seconds).toBeGreaterThanOrEqual(3)
        expect(seconds).toBeLessThanOrEqual(6)
        yield* passUntil(has("TranscodeCompleted"))
        const log = yield* everything
        expect(count(log, "TranscodePlanned")).toBe(1)
        expect(count(log, "TranscodeCompleted")).toBe(1)
        expect(count(log, "TaskAssigned")).toBe(13)
      }),
    ))

  test("in an idle cell the standby waits for 90 s", () =>
    run(
      Effect.gen(function* () {
        const first = yield* startScheduler(0)
        yield* startScheduler(1)
        yield* pass(5)
        yield* kill(first)
        yield* pass(85)
        expect(epochs(yield* everything)).toHaveLength(1)
        yield* pass(10)
        expect(epochs(yield* everything)).toHaveLength(2)
      }),
    ))

  test("the deposed one's assignments are void and its worker is told", () =>
    run(
      Effect.gen(function* () {
        if (!light) return
        yield* startScheduler(0)
        yield* pass(1)
        // Somebody deposes it; what it still says in its old epoch counts for nothing.
        yield* Effect.forkScoped(fakeWorker(light, lightTypes, () => false))
        yield* startScheduler(0)
        yield* pass(2)
        const [old, current] = epochs(yield* everything)
        expect(old).toBeLessThan(current ?? 0)
        yield* uploadBegins(videoId)
        yield* passUntil(has("TaskAssigned"))
        const stale = { videoId, taskId: `${videoId}.1/split`, attempt: 1, worker: light }
        yield* say(inboxStream(light), { _tag: "TaskAssigned", epoch: old ?? 0, ...stale })
        yield* passUntil((log) =>
          log.some((event) => event._tag === "TaskRevoked" && keyOf(event) === keyOf(stale)),
        )
        const assigned = (yield* everything).filter((event) => event._tag === "TaskAssigned")
        expect(assigned.filter(({ epoch }) => epoch === current).length).toBe(1)
      }),
    ))

  test("the deposed one goes on as a standby and takes over again", () =>
    run(
      Effect.gen(function* () {
        yield* startScheduler(0)
        yield* pass(2)
        const second = yield* startScheduler(0)
        yield* pass(2)
        yield* uploadBegins(videoId)
        yield* passUntil(has("TranscodePlanned"))
        yield* kill(second)
        yield* passUntil((log) => count(log, "SchedulerStarted") === 3)
        yield* startWorkers
        yield* passUntil(has("TranscodeCompleted"))
      }),
    ))
})
