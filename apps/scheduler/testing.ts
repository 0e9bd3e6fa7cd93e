/** For tests: a cell in memory, whose workers answer as the test says, and whose time is the test's. */
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { DomainEvent } from "#domain/events.ts"
import {
  AccountId,
  Cell,
  ChannelId,
  inboxStream,
  type StreamName,
  Timestamp,
  transcodeStream,
  uploadStream,
  type VideoId,
  videoStream,
  type WorkerId,
  workerStream,
} from "#domain/ids.ts"
import type { Piece, SchedulingEvent } from "#domain/scheduling/events.ts"
import { type Lease, stepNameOf } from "#domain/scheduling/queues.ts"
import { Sealed } from "#domain/sealed.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"

export const cell = Cell.make("loc")
const at = Timestamp.make(1_700_000_000_000)
const title = Sealed.make(`v1.owner.${"A".repeat(40)}`)
const channelId = ChannelId.make("main")

let said = 0
export const say = Effect.fnUntraced(function* (stream: StreamName, event: DomainEvent) {
  const store = yield* EventStore
  const told = yield* envelope(stream, event, { cause: `said ${++said}`, actor: "test" })
  return yield* store.append(stream, "any", [told])
})

export const everything = Effect.gen(function* () {
  const store = yield* EventStore
  const recorded = yield* Stream.runCollect(store.readAll())
  return recorded.map(({ event }) => event)
})

/** As if a scheduler had ticked so often. */
export const ticksPass = Effect.fnUntraced(function* (ticks: number) {
  const store = yield* EventStore
  const stream = transcodeStream("loc0000000000000000")
  const event = { _tag: "SchedulerTicked", cell, epoch: 1 } as const
  const told = yield* Effect.forEach(Array.from({ length: ticks }), (_, tick) =>
    envelope(stream, event, { cause: `tick ${tick}`, actor: "test" }),
  )
  yield* store.append(stream, "none", told)
})

/** Lets every fiber that can go on do so. */
const settle = Effect.repeat(Effect.yieldNow, { times: 200 })

/** Second by second until the log says so. */
export const passUntil = Effect.fnUntraced(function* (
  isSaid: (log: ReadonlyArray<DomainEvent | { readonly _tag: "Unreadable" }>) => boolean,
  most = 300,
) {
  for (let second = 0; second <= most; second++) {
    yield* settle
    if (isSaid(yield* everything)) return second
    yield* TestClock.adjust("1 second")
  }
  const log = (yield* everything).map((event) => JSON.stringify(event))
  return yield* Effect.die(new Error(`it never came:\n${log.slice(-40).join("\n")}`))
})

export const pass = Effect.fnUntraced(function* (seconds: number) {
  for (let second = 0; second < seconds; second++) {
    yield* settle
    yield* TestClock.adjust("1 second")
  }
  yield* settle
})

export const has = (tag: string) => (log: ReadonlyArray<{ readonly _tag: string }>) =>
  log.some(({ _tag }) => _tag === tag)
export const count = (log: ReadonlyArray<{ readonly _tag: string }>, tag: string) =>
  log.filter(({ _tag }) => _tag === tag).length

// A video

export const videoIsCreated = (videoId: VideoId) =>
  say(videoStream(videoId), {
    ...{ _tag: "VideoCreated", videoId, channelId, accountId: AccountId.make("owner"), title, at },
    ...{ description: null, visibility: "public" },
  })

export const uploadIsRequested = Effect.fnUntraced(function* (videoId: VideoId) {
  const parts = [{ number: 1, offset: 0, length: 10 }]
  yield* say(uploadStream(videoId), {
    ...{ _tag: "UploadRequested", videoId, channelId, fileName: title, byteLength: 10, at },
    ...{ parts, centre: "local" },
  })
})

export const uploadBegins = Effect.fnUntraced(function* (videoId: VideoId) {
  yield* uploadIsRequested(videoId)
  yield* say(uploadStream(videoId), {
    ...{ _tag: "PartsReceived", videoId, at, parts: [{ number: 1, etag: "a" }] },
  })
})

export const takeDown = (videoId: VideoId) =>
  say(videoStream(videoId), {
    ...{ _tag: "VideoTakenDown", videoId, at, reason: "copyright", actor: "test" },
  })
export const reinstate = (videoId: VideoId) =>
  say(videoStream(videoId), { _tag: "VideoReinstated", videoId, at, actor: "test" })

// A worker

const pieces: ReadonlyArray<Piece> = [
  { n: 0, groups: ["r1", "r2"] },
  { n: 1, groups: ["r1", "r2"] },
  { n: 2, groups: ["all"] },
]

const reports = ({ videoId, taskId, attempt, worker }: Lease): ReadonlyArray<SchedulingEvent> => {
  const step = stepNameOf(taskId)
  const groups = step === "inspect" ? { groups: ["r1", "r2", "all"] } : {}
  const emitted = { _tag: "TaskEmitted", videoId, taskId, worker, pieces } as const
  return [
    ...(step === "split" ? [emitted] : []),
    { _tag: "TaskSucceeded", videoId, taskId, attempt, worker, outputs: {}, ...groups },
  ]
}

/** Works until it is interrupted; a task for which `isDone` says no is kept and never answered. */
export const fakeWorker = Effect.fnUntraced(function* (
  worker: WorkerId,
  can: ReadonlyArray<string>,
  isDone: (step: string) => boolean = () => true,
) {
  const store = yield* EventStore
  yield* say(workerStream(worker), { _tag: "WorkerStarted", worker, can, slots: 4 })
  const seen = say(workerStream(worker), { _tag: "WorkerSeen", worker })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(seen, "5 seconds")))
  yield* store.followStream(inboxStream(worker)).pipe(
    Stream.runForEach(({ event }) => {
      if (event._tag === "TaskAssigned" && isDone(stepNameOf(event.taskId))) {
        return Effect.forEach(reports(event), (report) =>
          say(transcodeStream(event.videoId), report),
        )
      }
      if (event._tag !== "TaskRevoked") return Effect.void
      const { _tag: _, epoch, ...lease } = event
      return say(transcodeStream(event.videoId), { _tag: "TaskReleased", ...lease })
    }),
  )
}, Effect.scoped)

export const kill = <A, E>(fiber: Fiber.Fiber<A, E>) => Fiber.interrupt(fiber)
