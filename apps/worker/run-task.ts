/**
 * Runs one assigned task to its end and reports how it ended. It never retries a stage: the
 * scheduler backs off, in the log. Only the report itself is repeated, while the store is away.
 */
import { Cause, Clock, Effect, Exit, Fiber, Option } from "effect"
import { transcodeStream } from "#domain/ids.ts"
import type { Outputs, SchedulingEvent } from "#domain/scheduling/events.ts"
import { keyOf } from "#domain/scheduling/queues.ts"
import { EventStore } from "#infra/event-store/port.ts"
import {
  contextOf,
  emittedFor,
  inputsOf,
  type TranscodeContext,
  taskName,
  toldOf,
} from "./context.ts"
import { type Lease, type Origin, tell } from "./report.ts"
import { spilled, unspilled } from "./spill.ts"
import {
  codeOf,
  detailOf,
  InputsUnreadable,
  type Stage,
  type StageImpossible,
  type StageInterrupted,
  type StageResult,
  sortFailure,
  type Task,
  TypeUnknown,
} from "./stage.ts"

export type Stages = Readonly<Record<string, Stage>>
export type Ending = Extract<
  SchedulingEvent,
  { readonly _tag: `Task${"Succeeded" | "Failed" | "Released"}` }
>

export interface Assignment {
  readonly lease: Lease
  readonly isHurried: boolean
}

const stageTask = ({ lease, isHurried }: Assignment, context: TranscodeContext, origin: Origin) =>
  Effect.gen(function* () {
    const name = taskName(lease.taskId)
    const step = context.steps.find((it) => it.name === name.step)
    if (step === undefined) {
      return yield* new InputsUnreadable({ issue: `the plan has no step "${name.step}"` })
    }
    const store = yield* EventStore
    const known = new Set(context.pieces.get(step.name)?.keys())
    const task: Task = {
      ...name,
      taskId: lease.taskId,
      key: keyOf(lease),
      group: step.group,
      isHurried,
      channelId: context.channelId,
      emittedFor: (input) => emittedFor(context, step, input),
      toldOf: (n) => toldOf(context, step, n),
      emit: Effect.fnUntraced(function* (pieces) {
        const fresh = pieces.filter(({ n }) => !known.has(n))
        if (fresh.length === 0) return
        const { videoId, taskId, worker } = lease
        const emitted = { _tag: "TaskEmitted", videoId, taskId, worker, pieces: fresh } as const
        yield* Effect.provideService(tell(emitted, origin), EventStore, store)
        for (const { n } of fresh) known.add(n)
      }),
    }
    return { task, step }
  })

const runStage = Effect.fnUntraced(function* (
  assignment: Assignment,
  context: TranscodeContext,
  stages: Stages,
  origin: Origin,
) {
  const { task, step } = yield* stageTask(assignment, context, origin).pipe(
    Effect.mapError(sortFailure),
  )
  const stage = stages[step.type]
  if (stage === undefined) {
    return yield* sortFailure(new TypeUnknown({ type: step.type }))
  }
  const inputs = yield* unspilled(task, inputsOf(context, step, task.n)).pipe(
    Effect.mapError(sortFailure),
  )
  const result = yield* stage(task, inputs)
  const outputs: Outputs = yield* spilled(task, result.outputs).pipe(Effect.mapError(sortFailure))
  return { ...result, outputs } satisfies StageResult
})

const thousandths = (value: number) => Math.round(value * 1000) / 1000

const succeeded = (lease: Lease, result: StageResult, wallMillis: number): Ending => ({
  _tag: "TaskSucceeded",
  ...lease,
  ...(result.groups !== undefined && { groups: result.groups }),
  outputs: result.outputs,
  cpuSeconds: thousandths(result.cpuSeconds),
  wallSeconds: thousandths(wallMillis / 1000),
})

const failed = (lease: Lease, { _tag, reason }: StageInterrupted | StageImpossible): Ending => {
  // No failure of the task: it is offered again when the upload goes on.
  if (reason._tag === "SourceStalled") {
    return { _tag: "TaskReleased", ...lease, heard: reason.heard }
  }
  const detail = detailOf(reason)
  return {
    _tag: "TaskFailed",
    ...lease,
    code: codeOf(reason),
    recoverable: _tag === "StageInterrupted",
    ...(detail !== undefined && { detail }),
  }
}

/** A bug of ours: the lease must not wait for it for ever, and another worker may not have it. */
const broken = (lease: Lease, cause: Cause.Cause<unknown>) =>
  Effect.as(Effect.logError("a stage has a bug", lease.taskId, cause), {
    _tag: "TaskFailed",
    ...lease,
    code: "worker_defect",
    recoverable: true,
  } satisfies Ending)

/** How the task ended, as the log will be told. Interrupted, it tells nothing: that is its owner's business. */
const endingOf = Effect.fnUntraced(function* (
  assignment: Assignment,
  stages: Stages,
  origin: Origin,
) {
  const { lease } = assignment
  const store = yield* EventStore
  const history = yield* store.read(transcodeStream(lease.videoId))
  const { transcode } = taskName(lease.taskId)
  const context = contextOf(
    transcode,
    history.map(({ event }) => event),
  )
  if (context.over) return { _tag: "TaskReleased", ...lease } satisfies Ending

  const began = yield* Clock.currentTimeMillis
  // In a fiber of its own: if it ends by an interruption that nobody asked us for, that is a bug.
  const work = yield* Effect.forkChild(runStage(assignment, context, stages, origin))
  const exit = yield* Effect.onInterrupt(Fiber.await(work), () => Fiber.interrupt(work))
  if (Exit.isSuccess(exit)) {
    return succeeded(lease, exit.value, (yield* Clock.currentTimeMillis) - began)
  }
  const failure = Cause.findErrorOption(exit.cause)
  if (Option.isSome(failure)) return failed(lease, failure.value)
  return yield* broken(lease, exit.cause)
})

/** `reported` is run once the log knows, before anything can interrupt. */
export const runTask = Effect.fn("runTask")(function* (
  assignment: Assignment,
  stages: Stages,
  origin: Origin,
  reported: Effect.Effect<void> = Effect.void,
) {
  const { lease } = assignment
  const ending = yield* endingOf(assignment, stages, origin).pipe(
    Effect.catchTag("EventStoreUnavailable", (reason) =>
      Effect.succeed(failed(lease, sortFailure(reason))),
    ),
  )
  yield* tell(ending, origin, reported)
})
