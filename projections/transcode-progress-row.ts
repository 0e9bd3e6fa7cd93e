/** The row of `transcode-progress.ts`: how far one video has come while it is made. */
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  text,
} from "drizzle-orm/pg-core"

export type Stage =
  | "uploading"
  | "inspecting"
  | "encoding"
  | "packaging"
  | "completed"
  | "failed"
  | "cancelled"

export interface RungProgress {
  readonly name: string
  readonly group: string
  readonly width: number
  readonly height: number
  /** Pieces, of `piecesKnown` so far. */
  readonly done: number
  readonly total: number
}

export interface RunningTask {
  readonly taskId: string
  readonly attempt: number
  readonly worker: string
}

export interface TaskFailure extends RunningTask {
  readonly code: string
  readonly recoverable: boolean
  readonly at: number
}

/** A step of the plan, by the type of its tasks; `group`: the rungs it encodes. */
export interface PlannedStep {
  readonly name: string
  readonly type: string
  readonly group: string | null
}

/** A piece of the video, half-open on its timeline, and the rung groups that encode it. */
export interface KnownPiece {
  readonly n: number
  readonly from: number
  readonly to: number
  readonly groups: ReadonlyArray<string>
}

export const transcodeProgresses = pgTable("transcode_progresses", {
  videoId: text().primaryKey(),
  stage: text().$type<Stage>().notNull(),
  bytesTotal: bigint({ mode: "number" }).notNull(),
  bytesReceived: bigint({ mode: "number" }).notNull(),
  /** Lengths of the parts, in their order. */
  partLengths: jsonb().$type<ReadonlyArray<number>>().notNull(),
  /** Numbers of the parts that arrived, sorted; numbers begin with 1. */
  partsReceived: jsonb().$type<ReadonlyArray<number>>().notNull(),
  isUploaded: boolean().notNull(),
  transcode: text(),
  run: integer(),
  steps: jsonb().$type<ReadonlyArray<PlannedStep>>().notNull(),
  durationTicks: bigint({ mode: "number" }),
  pieces: jsonb().$type<ReadonlyArray<KnownPiece>>().notNull(),
  /** No further piece will be found. */
  arePiecesWhole: boolean().notNull(),
  rungs: jsonb().$type<ReadonlyArray<RungProgress>>().notNull(),
  audioSegments: integer().notNull(),
  isAudioDone: boolean().notNull(),
  /** `{step}` or `{step}/{piece}` of each task that succeeded. */
  done: jsonb().$type<ReadonlyArray<string>>().notNull(),
  running: jsonb().$type<ReadonlyArray<RunningTask>>().notNull(),
  failures: jsonb().$type<ReadonlyArray<TaskFailure>>().notNull(),
  failureCount: integer().notNull(),
  failureCode: text(),
  isPlayable: boolean().notNull(),
  cpuSeconds: doublePrecision().notNull(),
  position: text().notNull(),
})
export type TranscodeProgress = typeof transcodeProgresses.$inferSelect
