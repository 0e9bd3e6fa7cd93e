/**
 * What the events of tasks change in the progress of a video. A piece that a step of
 * one rung has encoded is done there, one of the group `all` on every rung; a task that succeeds twice counts once.
 */
import { Option, Schema } from "effect"
import { AudioPiece, DEFAULT_SOUND, Media, Rung } from "#domain/transcode/facts.ts"
import type { Fact } from "./projection.ts"
import { readTaskId } from "./task.ts"
import type {
  KnownPiece,
  RungProgress,
  RunningTask,
  Stage,
  TaskFailure,
  TranscodeProgress,
} from "./transcode-progress-row.ts"

/** Failures beyond these are counted, not shown. */
const FAILURES_SHOWN = 20

const readMedia = Schema.decodeUnknownOption(Media)
const readRungs = Schema.decodeUnknownOption(Schema.Array(Rung))
const readAudioFacts = Schema.decodeUnknownOption(AudioPiece)

const typeOf = ({ steps }: TranscodeProgress, step: string) =>
  steps.find(({ name }) => name === step)?.type

const isOf = (piece: KnownPiece, group: string) =>
  piece.groups.includes(group) || piece.groups.includes("all")

/** The steps that encode a rung of a piece: its own where the piece names it, else that of all. */
const encodersOf = ({ steps }: TranscodeProgress, rung: RungProgress, piece: KnownPiece) => {
  const group = piece.groups.includes(rung.group) ? rung.group : "all"
  return steps.filter((step) => step.type === "EncodeVideo" && [group, null].includes(step.group))
}

const countRungs = (row: TranscodeProgress): ReadonlyArray<RungProgress> => {
  const done = new Set(row.done)
  return row.rungs.map((rung) => {
    const wanted = row.pieces.filter((piece) => isOf(piece, rung.group))
    const ready = wanted.filter((piece) =>
      encodersOf(row, rung, piece).some(({ name }) => done.has(`${name}/${piece.n}`)),
    )
    return { ...rung, done: ready.length, total: wanted.length }
  })
}

const stageAfter = (row: TranscodeProgress): Stage => {
  if (row.arePiecesWhole && row.rungs.every(({ done, total }) => done === total)) {
    return row.isAudioDone ? "packaging" : "encoding"
  }
  return row.rungs.length > 0 ? "encoding" : row.stage
}

const counted = (row: TranscodeProgress): TranscodeProgress => {
  const next = { ...row, rungs: countRungs(row) }
  return { ...next, stage: stageAfter(next) }
}

const withoutTask = (row: TranscodeProgress, taskId: string) =>
  row.running.filter((task) => task.taskId !== taskId)

const withoutLease = (row: TranscodeProgress, { taskId, attempt, worker }: RunningTask) =>
  row.running.filter(
    (task) => task.taskId !== taskId || task.attempt !== attempt || task.worker !== worker,
  )

export type EventOf<Tag extends Fact["event"]["_tag"]> = Extract<Fact["event"], { _tag: Tag }>

const emit = (row: TranscodeProgress, event: EventOf<"TaskEmitted">): TranscodeProgress => {
  const { step } = readTaskId(event.taskId)
  if (typeOf(row, step) === "EncodeAudio") {
    const segments = event.pieces.flatMap(({ facts }) =>
      Option.match(readAudioFacts(facts), {
        onNone: () => [],
        onSome: ({ rendition = DEFAULT_SOUND, segments: told }) =>
          rendition === DEFAULT_SOUND ? told : [],
      }),
    )
    return { ...row, audioSegments: row.audioSegments + segments.length }
  }
  const known = new Set(row.pieces.map(({ n }) => n))
  const found = event.pieces
    .filter(({ n }) => !known.has(n))
    .map(({ n, from = 0, to = 0, groups = ["all"] }): KnownPiece => ({ n, from, to, groups }))
  return counted({ ...row, pieces: [...row.pieces, ...found].sort((a, b) => a.n - b.n) })
}

const succeed = (row: TranscodeProgress, event: EventOf<"TaskSucceeded">): TranscodeProgress => {
  const type = typeOf(row, readTaskId(event.taskId).step)
  const name = event.taskId.slice(event.taskId.indexOf("/") + 1)
  const running = withoutTask(row, event.taskId)
  if (row.done.includes(name)) return { ...row, running }
  const { media, rungs } = event.outputs
  const ladder = Option.map(readRungs(rungs), (known) =>
    known.map((rung): RungProgress => {
      const { name, group, width, height } = rung
      return { name, group, width, height, done: 0, total: 0 }
    }),
  )
  return counted({
    ...row,
    running,
    done: [...row.done, name],
    durationTicks: Option.match(readMedia(media), {
      onNone: () => row.durationTicks,
      onSome: ({ durationTicks }) => durationTicks,
    }),
    rungs: Option.getOrElse(ladder, () => row.rungs),
    arePiecesWhole: row.arePiecesWhole || type === "Split",
    isAudioDone: row.isAudioDone || type === "EncodeAudio",
    cpuSeconds: row.cpuSeconds + (event.cpuSeconds ?? 0),
  })
}

const fail = (
  row: TranscodeProgress,
  { taskId, attempt, worker, code, recoverable }: EventOf<"TaskFailed">,
  at: number,
): TranscodeProgress => {
  const failure: TaskFailure = { taskId, attempt, worker, code, recoverable, at }
  return {
    ...row,
    running: withoutLease(row, failure),
    failures: [...row.failures, failure].slice(-FAILURES_SHOWN),
    failureCount: row.failureCount + 1,
  }
}

/** Of a task of the row's own transcode. */
export const evolveByTask = (row: TranscodeProgress, fact: Fact): TranscodeProgress => {
  const { event } = fact
  switch (event._tag) {
    case "TaskEmitted":
      return emit(row, event)
    case "TaskAssigned": {
      const { taskId, attempt, worker } = event
      return { ...row, running: [...withoutTask(row, taskId), { taskId, attempt, worker }] }
    }
    case "TaskSucceeded":
      return succeed(row, event)
    case "TaskFailed":
      return fail(row, event, fact.recordedAt)
    case "TaskReleased":
    case "TaskRevoked":
      return { ...row, running: withoutLease(row, event) }
    default:
      return row
  }
}
