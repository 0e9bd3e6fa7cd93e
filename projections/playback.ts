/**
 * What of a video may be watched: a pure fold of `video-{id}` and `transcode-{id}`, each in its
 * own order, in any interleaving of the two. It has no table: the video server holds it in memory.
 * Nothing of a transcode is shown before `VideoPlayable`; with `VideoPublished` the final manifests
 * speak and the growing lists are forgotten.
 */
import { Result, Schema } from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import { runOf } from "#domain/keys.ts"
import type { Outputs, Piece, Step } from "#domain/scheduling/events.ts"
import {
  Audio,
  AudioPiece,
  CopyRefusal,
  DEFAULT_SOUND,
  EncodedPiece,
  Media,
  PIECES_PER_SOUND,
  Rung,
  type Segment,
  Text,
} from "#domain/transcode/facts.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import type { Visibility } from "#domain/video/events.ts"
import { type Growing, growing, type Rendition, type Run } from "./growing.ts"

export interface Playback {
  readonly visibility: Visibility | null
  readonly takenDown: string | null
  readonly failed: string | null
  readonly playable: number | null
  /** When it could first be watched. */
  readonly playableAt: number
  readonly published: number | null
  /** The run that has more renditions than were published at first. */
  readonly extended: number | null
  readonly runs: Readonly<Record<number, Run>>
}

/** What an anonymous viewer finds. Whoever may not know of a video finds it absent. */
export type Door =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Closed"; readonly reason: string }
  | { readonly _tag: "Failed"; readonly code: string }
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Growing"; readonly run: number; readonly lists: Growing }
  /** `isExtended`: there are manifests that name more than the first ones. */
  | { readonly _tag: "Final"; readonly run: number; readonly isExtended?: true }

const nothingYet: Rendition = { pieces: 0, segments: [], ahead: {} }
const newRun: Run = {
  types: {},
  media: null,
  ladder: [],
  chunks: { known: 0, whole: false },
  rungs: {},
  sounds: {},
  audio: null,
  text: null,
}

export const noPlayback: Playback = {
  visibility: null,
  takenDown: null,
  failed: null,
  playable: null,
  playableAt: 0,
  published: null,
  extended: null,
  runs: {},
}

/** A piece counts once, whoever tells of it again: the first success wins. */
const withPiece = (
  rendition: Rendition,
  n: number,
  segments: ReadonlyArray<Segment>,
): Rendition => {
  if (n < rendition.pieces || n in rendition.ahead) return rendition
  const ahead = { ...rendition.ahead, [n]: segments }
  const joined = [...rendition.segments]
  let pieces = rendition.pieces
  for (let next = ahead[pieces]; next !== undefined; next = ahead[pieces]) {
    joined.push(...next)
    delete ahead[pieces]
    pieces += 1
  }
  return { pieces, segments: joined, ahead }
}

const readMedia = Schema.decodeUnknownResult(Media)
const readLadder = Schema.decodeUnknownResult(Schema.Array(Rung))
const readEncoded = Schema.decodeUnknownResult(EncodedPiece)
const readSound = Schema.decodeUnknownResult(AudioPiece)
const readRefusal = Schema.decodeUnknownResult(CopyRefusal)
const readAudio = Schema.decodeUnknownResult(Audio)
const readText = Schema.decodeUnknownResult(Text)
const orNothing = <A>(read: Result.Result<A, unknown>): A | null =>
  Result.getOrElse(read, () => null)

/** `{videoId}.{run}/{step}[:{group}][/{n}]` */
const stepOf = (taskId: string) => (taskId.split("/")[1] ?? "").split(":")[0] ?? ""
const transcodeOf = (taskId: string) => taskId.slice(0, taskId.indexOf("/"))

/** The built-in pipeline's steps, for a transcode whose plan has not been read yet. */
const builtIn: Readonly<Record<string, string>> = {
  inspect: "Inspect",
  split: "Split",
  "encode-video": "EncodeVideo",
  "encode-audio": "EncodeAudio",
  "extract-text": "ExtractText",
}
const typeOf = (run: Run, taskId: string) => {
  const step = stepOf(taskId)
  return run.types[step] ?? builtIn[step]
}

const planned = (run: Run, steps: ReadonlyArray<Step>): Run => ({
  ...run,
  types: Object.fromEntries(
    steps.map(({ name, type }) => [name.split(":")[0] ?? name, type] as const),
  ),
})

const heard = (sounds: Run["sounds"], { n, facts }: Piece): Run["sounds"] => {
  const piece = orNothing(readSound(facts))
  if (piece === null) return sounds
  const { rendition = DEFAULT_SOUND, segments } = piece
  const known = sounds[rendition] ?? nothingYet
  return { ...sounds, [rendition]: withPiece(known, n % PIECES_PER_SOUND, segments) }
}

const emitted = (run: Run, taskId: string, pieces: ReadonlyArray<Piece>): Run => {
  switch (typeOf(run, taskId)) {
    case "Split":
      return {
        ...run,
        chunks: {
          ...run.chunks,
          known: Math.max(run.chunks.known, ...pieces.map(({ n }) => n + 1)),
        },
      }
    case "EncodeAudio":
      return { ...run, sounds: pieces.reduce(heard, run.sounds) }
    default:
      return run
  }
}

const encoded = (run: Run, { n, rungs }: EncodedPiece): Run => {
  const grown = rungs.map(
    ({ rung, segments }) => [rung, withPiece(run.rungs[rung] ?? nothingYet, n, segments)] as const,
  )
  return { ...run, rungs: { ...run.rungs, ...Object.fromEntries(grown) } }
}

/** Its list would never end: the rung goes on under its other name. */
const withoutCopy = (run: Run, name: string): Run => ({
  ...run,
  ladder: run.ladder.map((rung) => (rung.name === name ? encodedInstead(rung) : rung)),
})

const succeeded = (run: Run, taskId: string, outputs: Outputs): Run => {
  switch (typeOf(run, taskId)) {
    case "Inspect":
      return {
        ...run,
        media: run.media ?? orNothing(readMedia(outputs.media)),
        ladder: run.ladder.length > 0 ? run.ladder : (orNothing(readLadder(outputs.rungs)) ?? []),
      }
    case "Split":
      return { ...run, chunks: { ...run.chunks, whole: true } }
    case "EncodeVideo": {
      const piece = orNothing(readEncoded(outputs.segments))
      const refused = orNothing(readRefusal(outputs.refused))
      const left = refused === null ? run : withoutCopy(run, refused.rung)
      return piece === null ? left : encoded(left, piece)
    }
    case "EncodeAudio":
      return { ...run, audio: run.audio ?? orNothing(readAudio(outputs.audio)) }
    case "ExtractText":
      return { ...run, text: run.text ?? orNothing(readText(outputs.text)) }
    default:
      return run
  }
}

/** Runs that can no longer be watched growing are not kept. */
const inRun = (playback: Playback, transcode: string, change: (run: Run) => Run): Playback => {
  const run = runOf(transcode)
  if (playback.published !== null || run < (playback.playable ?? 0)) return playback
  return { ...playback, runs: { ...playback.runs, [run]: change(playback.runs[run] ?? newRun) } }
}

const from = (runs: Playback["runs"], first: number): Playback["runs"] =>
  Object.fromEntries(Object.entries(runs).filter(([run]) => Number(run) >= first))

export const evolvePlayback = (playback: Playback, event: DomainEvent | Unreadable): Playback => {
  switch (event._tag) {
    case "VideoCreated":
      return { ...playback, visibility: event.visibility }
    case "VideoDetailsChanged":
      return { ...playback, visibility: event.visibility ?? playback.visibility }
    case "VideoPlayable": {
      const playable = runOf(event.transcode)
      const runs = from(playback.runs, playable)
      return { ...playback, playable, playableAt: event.at, failed: null, runs }
    }
    case "VideoPublished":
      return { ...playback, published: runOf(event.transcode), failed: null, runs: {} }
    case "VideoExtended":
      return { ...playback, extended: runOf(event.transcode) }
    case "VideoFailed":
      return { ...playback, failed: event.code }
    case "VideoTakenDown":
      return { ...playback, takenDown: event.reason }
    case "VideoReinstated":
      return { ...playback, takenDown: null }
    case "TranscodePlanned":
      return inRun(playback, event.transcode, (run) => planned(run, event.steps))
    case "TaskEmitted":
      return inRun(playback, transcodeOf(event.taskId), (run) =>
        emitted(run, event.taskId, event.pieces),
      )
    case "TaskSucceeded":
      return inRun(playback, transcodeOf(event.taskId), (run) =>
        succeeded(run, event.taskId, event.outputs),
      )
    default:
      return playback
  }
}

export const doorOf = (playback: Playback): Door => {
  const { visibility, takenDown, failed, playable, playableAt, published, extended } = playback
  if (visibility === null || visibility === "private") return { _tag: "Absent" }
  if (takenDown !== null) return { _tag: "Closed", reason: takenDown }
  if (published !== null) {
    const isExtended = published === extended
    return { _tag: "Final", run: published, ...(isExtended && { isExtended }) }
  }
  if (failed !== null) return { _tag: "Failed", code: failed }
  if (playable === null) return { _tag: "Waiting" }
  const run = playback.runs[playable]
  const lists = run === undefined ? null : growing(run, playableAt)
  return lists === null ? { _tag: "Waiting" } : { _tag: "Growing", run: playable, lists }
}
