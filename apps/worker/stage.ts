/**
 * What a stage is, and what may go wrong in one, sorted into two words. A stage never retries by
 * itself: it says `StageInterrupted` or `StageImpossible`; `run-task.ts` reports it, the scheduler decides.
 */
import { Effect, Schema, type Scope } from "effect"
import type { Outputs, Piece } from "#domain/scheduling/events.ts"
import {
  type EventStore,
  EventStoreUnavailable,
  RevisionConflict,
} from "#infra/event-store/port.ts"
import {
  EncoderCrashed,
  type MediaTools,
  OutOfMemory,
  SandboxUnavailable,
  ScratchUnavailable,
  SourceRefused,
  TimedOut,
} from "#infra/media/port.ts"
import {
  ObjectNotFound,
  type ObjectStore,
  ObjectStoreUnavailable,
} from "#infra/object-store/port.ts"
import type { TaskName } from "./context.ts"
import type { Scratch } from "./scratch.ts"
import { SourceAbandoned, SourceStalled, type Sources } from "./source.ts"

// What a stage itself may find wrong

/** The plan gives this task something else than its type takes. */
export class InputsUnreadable extends Schema.TaggedError<InputsUnreadable>()("InputsUnreadable", {
  issue: Schema.String,
}) {}

/** Another encoder made this rung's header differently: its segments would not join. */
export class HeaderDiffers extends Schema.TaggedError<HeaderDiffers>()("HeaderDiffers", {
  rung: Schema.String,
}) {}

/** The segments of a rendition don't make one row without a gap, the same as in the others. */
export class SegmentsDisagree extends Schema.TaggedError<SegmentsDisagree>()("SegmentsDisagree", {
  rung: Schema.String,
  k: Schema.Int,
}) {}

/** A playlist names something that is not there. */
export class ManifestBroken extends Schema.TaggedError<ManifestBroken>()("ManifestBroken", {
  missing: Schema.String,
}) {}

/** No worker of this version knows the type. */
export class TypeUnknown extends Schema.TaggedError<TypeUnknown>()("TypeUnknown", {
  type: Schema.String,
}) {}

const Recoverable = Schema.Union([
  EncoderCrashed,
  OutOfMemory,
  TimedOut,
  SandboxUnavailable,
  ScratchUnavailable,
  ObjectStoreUnavailable,
  EventStoreUnavailable,
  RevisionConflict,
  SourceStalled,
  HeaderDiffers,
])
const Fatal = Schema.Union([
  SourceRefused,
  SourceAbandoned,
  ObjectNotFound,
  InputsUnreadable,
  SegmentsDisagree,
  ManifestBroken,
  TypeUnknown,
])
export type Reason = typeof Recoverable.Type | typeof Fatal.Type

/** Worth another try: perhaps here, perhaps on another machine. */
export class StageInterrupted extends Schema.TaggedError<StageInterrupted>()("StageInterrupted", {
  reason: Recoverable,
}) {}

/** No retry can help: the transcode fails and the uploader is told why. */
export class StageImpossible extends Schema.TaggedError<StageImpossible>()("StageImpossible", {
  reason: Fatal,
}) {}

/** An error that a port adds has to be sorted here, or the stage that meets it does not compile. */
export const sortFailure = (reason: Reason): StageInterrupted | StageImpossible => {
  switch (reason._tag) {
    case "EncoderCrashed":
    case "OutOfMemory":
    case "TimedOut":
    case "SandboxUnavailable":
    case "ScratchUnavailable":
    case "ObjectStoreUnavailable":
    case "EventStoreUnavailable":
    case "RevisionConflict":
    case "SourceStalled":
    case "HeaderDiffers":
      return new StageInterrupted({ reason })
    case "SourceRefused":
    case "SourceAbandoned":
    case "ObjectNotFound":
    case "InputsUnreadable":
    case "SegmentsDisagree":
    case "ManifestBroken":
    case "TypeUnknown":
      return new StageImpossible({ reason })
  }
}

/** The stable code the log and the uploader see: `encoder_crashed`, or why a source was refused. */
export const codeOf = (reason: Reason): string =>
  reason._tag === "SourceRefused"
    ? reason.code
    : reason._tag.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

const DETAIL_LENGTH = 300
const oneLine = (text: string) => text.replaceAll(/\s+/g, " ").slice(0, DETAIL_LENGTH)

/** One line for the operator, where there is more to say than the code does. */
export const detailOf = (reason: Reason): string | undefined => {
  switch (reason._tag) {
    case "EncoderCrashed":
    case "SandboxUnavailable":
      return oneLine(reason.detail)
    case "ScratchUnavailable":
    case "ObjectStoreUnavailable":
    case "EventStoreUnavailable":
      return oneLine(reason.cause instanceof Error ? reason.cause.message : String(reason.cause))
    case "OutOfMemory":
      return `${reason.mebibytes} MiB were not enough`
    case "TimedOut":
      return `${reason.seconds} s of ${reason.limit} time were not enough`
    case "ObjectNotFound":
      return reason.key
    case "InputsUnreadable":
      return oneLine(reason.issue)
    case "HeaderDiffers":
      return reason.rung
    case "SegmentsDisagree":
      return `${reason.rung}/${reason.k}`
    case "ManifestBroken":
      return reason.missing
    case "TypeUnknown":
      return reason.type
    default:
      return undefined
  }
}

// A stage

export interface Task extends TaskName {
  readonly taskId: string
  /** Of this try: names its scratch directory. */
  readonly key: string
  /** The rung group of its step. */
  readonly group: string | undefined
  /** Whose video it is. */
  readonly channelId: string
  /** So much is queued that it had better be done fast than well. */
  readonly isHurried: boolean
  /** The pieces that the step emitted which writes this input. */
  readonly emittedFor: (input: string) => ReadonlyArray<Piece>
  /** What the tasks of its definition, all groups, have told of one piece. */
  readonly toldOf: (n: number) => ReadonlyArray<Outputs>
  /** Told to the log at once; tasks that wait for these pieces may begin. */
  readonly emit: (
    pieces: ReadonlyArray<Piece>,
  ) => Effect.Effect<void, EventStoreUnavailable | RevisionConflict>
}

export interface StageResult {
  readonly outputs: Outputs
  readonly groups?: ReadonlyArray<string>
  readonly cpuSeconds: number
}

export type StageServices = EventStore | ObjectStore | MediaTools | Scratch | Sources
export type Stage = (
  task: Task,
  inputs: Readonly<Record<string, Schema.Json>>,
) => Effect.Effect<StageResult, StageInterrupted | StageImpossible, StageServices>

/** From typed work to a stage: inputs decoded, failures sorted, everything it opened closed. */
export const stage = <Input>(
  input: Schema.Codec<Input, unknown>,
  work: (
    task: Task,
    input: Input,
  ) => Effect.Effect<StageResult, Reason, StageServices | Scope.Scope>,
): Stage => {
  const decode = Schema.decodeUnknownEffect(input)
  return (task, inputs) =>
    decode(inputs).pipe(
      Effect.mapError(({ message }) => new InputsUnreadable({ issue: message })),
      Effect.flatMap((decoded) => work(task, decoded)),
      Effect.mapError(sortFailure),
      Effect.scoped,
    )
}
