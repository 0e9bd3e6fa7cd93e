/**
 * One life of one worker, under an id that is used once: it joins, follows its inbox, runs what it
 * is assigned, stops what is revoked, and says that it lives. Declared lost, it kills all it runs
 * and ends; stopped from outside, it gives every task back first.
 */
import { Clock, Duration, Effect, Exit, Fiber, FiberSet, Schedule, Semaphore, Stream } from "effect"
import { type Cell, inboxStream, WorkerId, workerStream } from "#domain/ids.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import { keyOf } from "#domain/scheduling/queues.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { ownStream } from "./own-stream.ts"
import { type Lease, leaseOf, type Origin, tell } from "./report.ts"
import { runTask, type Stages } from "./run-task.ts"

export interface Role {
  readonly cell: Cell
  readonly slots: number
  readonly stages: Stages
}

/** The streams of a life are of no use once all its tasks have ended. */
const REMEMBERED = { maxAgeSeconds: 7 * 24 * 3600 }
/** A worker silent for 15 ticks is lost, an idle one later. */
const SILENCE = { working: Duration.seconds(5), idle: Duration.seconds(60) }
/** Before its supervisor kills what is still there. */
const DRAIN = Duration.seconds(8)
/** Until the scheduler has read that this worker stops; what it still assigns then is lost by silence. */
const LAST_WORDS = Duration.millis(300)

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
const newWorkerId = (cell: Cell) =>
  WorkerId.make(
    cell +
      [...crypto.getRandomValues(new Uint8Array(16))]
        .map((byte) => ALPHABET.charAt(byte % ALPHABET.length))
        .join(""),
  )

const originOf = ({ id, metadata }: Recorded): Origin => ({
  correlationId: metadata.$correlationId,
  causationId: id,
})

interface Running {
  readonly lease: Lease
  readonly origin: Origin
  readonly fiber: Fiber.Fiber<unknown, unknown>
  isReported: boolean
}

/** Ends when the scheduler has declared this worker lost, or somebody else wrote its stream. */
const life = Effect.fn("life")(function* ({ cell, slots, stages }: Role) {
  const store = yield* EventStore
  const worker = newWorkerId(cell)
  const own = yield* ownStream(workerStream(worker))
  const free = yield* Semaphore.make(slots)
  const leaving = yield* FiberSet.make<void>()
  const running = new Map<string, Running>()
  let lastWord = yield* Clock.currentTimeMillis
  /** How far the inbox was read. */
  let heard = 0

  const spoken = Effect.map(Clock.currentTimeMillis, (now) => {
    lastWord = now
  })

  /** The next event of its own stream; goes on trying while the store is away. */
  const say = (event: SchedulingEvent) =>
    Effect.suspend(() =>
      own.append([event], { cause: `${event._tag} ${own.revision() + 1}`, actor: worker }),
    ).pipe(
      Effect.retry({
        while: ({ _tag }) => _tag === "EventStoreUnavailable",
        schedule: Schedule.jittered(Schedule.spaced("1 second")),
      }),
      Effect.andThen(spoken),
    )

  // Tasks

  const start = (lease: Lease, origin: Origin, isHurried: boolean) =>
    Effect.gen(function* () {
      const key = keyOf(lease)
      if (running.has(key)) return
      const reported = Effect.andThen(
        spoken,
        Effect.sync(() => {
          const known = running.get(key)
          if (known !== undefined) known.isReported = true
        }),
      )
      const fiber = yield* free
        .withPermit(runTask({ lease, isHurried }, stages, origin, reported))
        .pipe(
          Effect.catch((failure) =>
            Effect.logWarning("a task could not be reported", key, failure),
          ),
          Effect.annotateLogs({ worker, task: key }),
          // Not in the scope of this life, which would stop it before it can be given back.
          Effect.forkDetach,
        )
      running.set(key, { lease, origin, fiber, isReported: false })
      // A finalizer would not run if it is stopped before it begins.
      fiber.addObserver(() => running.delete(key))
    })

  /** Its child processes are dead when this ends. */
  const stop = (task: Running) => Fiber.interrupt(task.fiber)

  const release = (lease: Lease, origin: Origin) =>
    tell({ _tag: "TaskReleased", ...lease }, origin, spoken).pipe(
      Effect.catch((failure) => Effect.logWarning("a task could not be given back", failure)),
    )

  const giveBack = (lease: Lease, origin: Origin) =>
    Effect.gen(function* () {
      const task = running.get(keyOf(lease))
      if (task !== undefined) yield* stop(task)
      if (task?.isReported !== true) yield* release(lease, origin)
    })

  const obey = (recorded: Recorded) => {
    const { event } = recorded
    heard = recorded.revision + 1
    switch (event._tag) {
      case "TaskAssigned":
        return start(leaseOf(event), originOf(recorded), event.hurry === true)
      case "TaskRevoked":
        return FiberSet.run(leaving, giveBack(leaseOf(event), originOf(recorded)))
      default:
        return Effect.void
    }
  }

  // Its life

  /** What was assigned before the scheduler knew that this worker stops. */
  const giveBackUnread = Effect.gen(function* () {
    const unread = yield* store.read(inboxStream(worker), { from: heard })
    heard = (unread.at(-1)?.revision ?? heard - 1) + 1
    yield* Effect.forEach(unread, (recorded) =>
      recorded.event._tag === "TaskAssigned"
        ? release(leaseOf(recorded.event), originOf(recorded))
        : Effect.void,
    )
  })

  const giveBackAll = Effect.suspend(() =>
    Effect.forEach([...running.values()], ({ lease, origin }) => giveBack(lease, origin), {
      concurrency: "unbounded",
      discard: true,
    }),
  )

  const drain = Effect.all(
    [
      say({ _tag: "WorkerStopping", worker }).pipe(
        Effect.andThen(giveBackUnread),
        Effect.andThen(Effect.sleep(LAST_WORDS)),
        Effect.andThen(giveBackUnread),
      ),
      FiberSet.awaitEmpty(leaving),
      giveBackAll,
    ],
    { concurrency: "unbounded", discard: true },
  ).pipe(Effect.timeout(DRAIN), Effect.ignore)

  const kill = Effect.suspend(() =>
    Effect.forEach([...running.values()], stop, { concurrency: "unbounded", discard: true }),
  )

  yield* say({ _tag: "WorkerStarted", worker, can: Object.keys(stages), slots })
  yield* Effect.addFinalizer((exit) => (Exit.isSuccess(exit) ? kill : drain))
  yield* Effect.ignore(
    Effect.forEach([workerStream(worker), inboxStream(worker)], (stream) =>
      store.limit(stream, REMEMBERED),
    ),
  )

  const signOfLife = Effect.gen(function* () {
    const silent = Duration.millis((yield* Clock.currentTimeMillis) - lastWord)
    const bearable = running.size > 0 ? SILENCE.working : SILENCE.idle
    if (Duration.isGreaterThanOrEqualTo(silent, bearable)) {
      yield* say({ _tag: "WorkerSeen", worker })
    }
  }).pipe(Effect.delay("1 second"), Effect.forever)

  const untilLost = store.followStream(inboxStream(worker)).pipe(
    Stream.takeUntil(({ event }) => event._tag === "WorkerLost"),
    Stream.runForEach(obey),
  )
  yield* Effect.raceFirst(untilLost, signOfLife).pipe(
    Effect.catchTag("RevisionConflict", () =>
      Effect.logError("somebody else wrote the stream of this worker", worker),
    ),
  )
}, Effect.scoped)

/** One life after the other. */
export const lives = (role: Role) => Effect.forever(life(role))
