/**
 * What is recorded about transcodes, tasks, workers and schedulers. Streams and revision rules:
 * `transcode-{videoId}` any revision (many writers; the order of the log decides), `worker-{id}`
 * only that worker, `inbox-{workerId}` and `scheduler-{cell}` only the scheduler in office.
 */
import { Schema } from "effect"
import { ChannelId, VideoId, WorkerId } from "#domain/ids.ts"

export const Service = Schema.Literals(["live", "standard", "bulk"])
export type Service = typeof Service.Type

export const Step = Schema.Struct({
  name: Schema.String,
  /** The task type: also the capability a worker needs. */
  type: Schema.String,
  after: Schema.Array(Schema.String),
  /** One task for each piece this step emits. */
  each: Schema.optionalKey(Schema.String),
  /** Takes only the pieces that name this group. */
  group: Schema.optionalKey(Schema.String),
  /** Expected cost, for fair shares. */
  seconds: Schema.optionalKey(Schema.Finite),
  /** On the way to the first playable seconds. */
  first: Schema.optionalKey(Schema.Boolean),
  /** Its failure does not fail the video. */
  optional: Schema.optionalKey(Schema.Boolean),
  /** Begins when the transcode is complete, and its failure fails nothing. */
  later: Schema.optionalKey(Schema.Boolean),
  /** The step's inputs as the pipeline names them (`$config.x`, `$context.x`, `$each`, literals). */
  input: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  /** Context name -> `it.field`. */
  output: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
})
export type Step = typeof Step.Type

/**
 * A piece that a task emitted. Of `split`: a half-open interval of presentation times in 90 kHz
 * ticks, whole segments long, its frame count, the presentation time of the key frame its decoding
 * starts from, and the rung groups that encode it. Of `encode-audio`: `n` alone, with `facts`.
 */
export const Piece = Schema.Struct({
  n: Schema.Int,
  from: Schema.optionalKey(Schema.Int),
  to: Schema.optionalKey(Schema.Int),
  frames: Schema.optionalKey(Schema.Int),
  keyPts: Schema.optionalKey(Schema.Int),
  groups: Schema.optionalKey(Schema.Array(Schema.String)),
  facts: Schema.optionalKey(Schema.Json),
})
export type Piece = typeof Piece.Type

/** A task's result: small facts as JSON (4 KiB at most), larger ones as an object. */
const Output = Schema.Union([
  Schema.Struct({ key: Schema.String, bytes: Schema.Int, sha256: Schema.String }),
  Schema.Json,
])
export const Outputs = Schema.Record(Schema.String, Output)
export type Outputs = typeof Outputs.Type

const ofTranscode = { videoId: VideoId, transcode: Schema.String }
const lease = { taskId: Schema.String, attempt: Schema.Int, worker: WorkerId }
const ofTask = { videoId: VideoId, ...lease }

export const SchedulingEvent = Schema.TaggedUnion({
  // transcode-{videoId}
  TranscodePlanned: {
    ...ofTranscode,
    channelId: ChannelId,
    service: Service,
    pipeline: Schema.String,
    steps: Schema.Array(Step),
    /** What `$config.x` stands for. */
    config: Schema.Record(Schema.String, Schema.Json),
  },
  TaskEmitted: {
    videoId: VideoId,
    taskId: Schema.String,
    worker: WorkerId,
    pieces: Schema.Array(Piece),
  },
  TaskSucceeded: {
    ...ofTask,
    /** The rung groups that exist; steps of others are left out. */
    groups: Schema.optionalKey(Schema.Array(Schema.String)),
    outputs: Outputs,
    /** CPU seconds (user + system) of the task's child processes, and its wall seconds. */
    cpuSeconds: Schema.optionalKey(Schema.Finite),
    wallSeconds: Schema.optionalKey(Schema.Finite),
  },
  TaskFailed: {
    ...ofTask,
    code: Schema.String,
    recoverable: Schema.Boolean,
    /** One line for the operator; nothing a user wrote. */
    detail: Schema.optionalKey(Schema.String),
  },
  TaskReleased: {
    ...ofTask,
    /** It waits for bytes: revision of the upload's last event that the worker had heard. */
    heard: Schema.optionalKey(Schema.Int),
  },
  TranscodeCancelled: { ...ofTranscode, reason: Schema.optionalKey(Schema.String) },
  TranscodePlayable: { ...ofTranscode, digest: Schema.optionalKey(Schema.String) },
  TranscodeCompleted: {
    ...ofTranscode,
    digest: Schema.optionalKey(Schema.String),
    /** Later steps go on: their end is told apart. */
    goesOn: Schema.optionalKey(Schema.Boolean),
  },
  /** All later steps are done, or given up. */
  TranscodeExtended: { ...ofTranscode, digest: Schema.optionalKey(Schema.String) },
  TranscodeFailed: {
    ...ofTranscode,
    code: Schema.String,
    digest: Schema.optionalKey(Schema.String),
  },
  // worker-{id}
  WorkerStarted: { worker: WorkerId, can: Schema.Array(Schema.String), slots: Schema.Int },
  WorkerSeen: { worker: WorkerId },
  WorkerStopping: { worker: WorkerId },
  // inbox-{workerId}
  TaskAssigned: {
    ...ofTask,
    epoch: Schema.Int,
    /** So much is queued that it had better be done fast than well. */
    hurry: Schema.optionalKey(Schema.Boolean),
  },
  TaskRevoked: { ...ofTask, epoch: Schema.Int },
  WorkerLost: { worker: WorkerId, epoch: Schema.Int },
  // scheduler-{cell}
  SchedulerStarted: { cell: Schema.String, epoch: Schema.Int },
  SchedulerTicked: { cell: Schema.String, epoch: Schema.Int },
})
export type SchedulingEvent = typeof SchedulingEvent.Type
