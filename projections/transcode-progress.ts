/**
 * How far one video has come, for its page while it is made and for its event stream: bytes that
 * arrived, pieces that are known and done on each rung, tasks that run, what failed. Events of a
 * superseded run are passed over.
 */
import { eq, sql } from "drizzle-orm"
import { Effect } from "effect"
import { runOf } from "#domain/keys.ts"
import { type Fact, projection, videoOfEvent } from "./projection.ts"
import { query, type Shards } from "./query.ts"
import { readTaskId } from "./task.ts"
import {
  type Stage,
  type TranscodeProgress,
  transcodeProgresses,
} from "./transcode-progress-row.ts"
import { type EventOf, evolveByTask } from "./transcode-progress-tasks.ts"

// Upload

const requested = ({ event, position }: Fact): TranscodeProgress | null => {
  if (event._tag !== "UploadRequested") return null
  return {
    ...{ videoId: event.videoId, stage: "uploading", transcode: null, run: null, position },
    ...{ bytesTotal: event.byteLength, bytesReceived: 0, isUploaded: false },
    ...{ partLengths: event.parts.map(({ length }) => length), partsReceived: [] },
    ...{ steps: [], durationTicks: null, pieces: [], arePiecesWhole: false, rungs: [], done: [] },
    ...{ audioSegments: 0, isAudioDone: false, running: [], failures: [], failureCount: 0 },
    ...{ failureCode: null, isPlayable: false, cpuSeconds: 0 },
  }
}

const receive = (row: TranscodeProgress, numbers: ReadonlyArray<number>) => {
  const partsReceived = [...new Set([...row.partsReceived, ...numbers])].sort((a, b) => a - b)
  const lengthOf = (number: number) => row.partLengths[number - 1] ?? 0
  return {
    partsReceived,
    bytesReceived: partsReceived.reduce((sum, number) => sum + lengthOf(number), 0),
  }
}

// Transcode

const plan = (
  row: TranscodeProgress,
  { transcode, steps }: EventOf<"TranscodePlanned">,
): TranscodeProgress => {
  if (row.run !== null && row.run >= runOf(transcode)) return row
  return {
    ...row,
    steps: steps.map(({ name, type, group = null }) => ({ name, type, group })),
    ...{ stage: "inspecting", transcode, run: runOf(transcode), durationTicks: null },
    ...{ pieces: [], arePiecesWhole: false, rungs: [], done: [], running: [], failures: [] },
    ...{ audioSegments: 0, isAudioDone: false, failureCount: 0, failureCode: null },
    ...{ isPlayable: false, cpuSeconds: 0 },
  }
}

const ended = (row: TranscodeProgress, stage: Stage, failureCode: string | null = null) => ({
  ...row,
  stage,
  failureCode,
  running: [],
})

const next = (row: TranscodeProgress, fact: Fact): TranscodeProgress => {
  const { event } = fact
  if ("transcode" in event && event._tag !== "TranscodePlanned") {
    if (event.transcode !== row.transcode) return row
  }
  if ("taskId" in event) {
    // What goes on after the end is no longer on the way of the video.
    const isOn = readTaskId(event.taskId).transcode === row.transcode && row.stage !== "completed"
    return isOn ? evolveByTask(row, fact) : row
  }
  switch (event._tag) {
    case "PartsReceived":
      return {
        ...row,
        ...receive(
          row,
          event.parts.map(({ number }) => number),
        ),
      }
    case "UploadCompleted":
      return { ...row, isUploaded: true }
    case "UploadExpired":
      return ended(row, "failed", "upload_expired")
    case "TranscodePlanned":
      return plan(row, event)
    case "TranscodePlayable":
      return { ...row, isPlayable: true }
    case "TranscodeCompleted":
      return ended(row, "completed")
    case "TranscodeFailed":
      return ended(row, "failed", event.code)
    case "TranscodeCancelled":
      return ended(row, "cancelled")
    default:
      return row
  }
}

const evolve = (row: TranscodeProgress | null, fact: Fact): TranscodeProgress | null => {
  if (row === null) return requested(fact)
  const evolved = next(row, fact)
  return evolved === row ? row : { ...evolved, position: fact.position }
}

export const transcodeProgress = projection({
  name: "transcode-progress-v1",
  table: transcodeProgresses,
  keyOf: ({ event }) => videoOfEvent(event),
  evolve,
})

// Queries

const byVideo = query<{ videoId: string }>()("transcode_progress_by_video", (database, name) =>
  database
    .select()
    .from(transcodeProgresses)
    .where(eq(transcodeProgresses.videoId, sql.placeholder("videoId")))
    .prepare(name),
)

/** `undefined`: no upload of that name. */
export const findTranscodeProgress = <Failure>(
  shards: Shards<Failure>,
  videoId: string,
): Effect.Effect<TranscodeProgress | undefined, Failure> =>
  Effect.map(shards.onShardOf(videoId, byVideo, { videoId }), ([row]) => row)
