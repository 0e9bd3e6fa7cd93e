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
  defaultSound,
  EncodedPiece,
  Media,
  Rung,
  type Segment,
  TICKS,
} from "#domain/transcode/facts.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import type { Visibility } from "#domain/video/events.ts"

/** Segments in order as far as nothing is missing, and the pieces that are done beyond the gap. */
interface Rendition {
  readonly pieces: number
  readonly segments: ReadonlyArray<Segment>
  readonly ahead: Readonly<Record<number, ReadonlyArray<Segment>>>
}

/** One transcode of the video, while it grows. */
interface Run {
  /** Task type of each step, as planned. */
  readonly types: Readonly<Record<string, string>>
  readonly media: Media | null
  readonly ladder: ReadonlyArray<Rung>
  readonly chunks: { readonly known: number; readonly whole: boolean }
  readonly rungs: Readonly<Record<string, Rendition>>
  readonly sound: Rendition
  readonly audio: Audio | null
}

export interface Playback {
  readonly visibility: Visibility | null
  readonly takenDown: string | null
  readonly failed: string | null
  readonly playable: number | null
  readonly published: number | null
  readonly runs: Readonly<Record<number, Run>>
}

/** What an anonymous viewer finds. Whoever may not know of a video finds it absent. */
export type Door =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Closed"; readonly reason: string }
  | { readonly _tag: "Failed"; readonly code: string }
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Growing"; readonly run: number; readonly lists: Growing }
  | { readonly _tag: "Final"; readonly run: number }

export interface GrowingRung {
  readonly rung: Rung
  readonly segments: ReadonlyArray<Segment>
}

/** The lists as they stand: rungs worth naming (lowest first), those that have segments, and the sound. */
export interface Growing {
  readonly media: Media
  readonly named: ReadonlyArray<Rung>
  readonly rungs: ReadonlyArray<GrowingRung>
  /** `codecs` and the bit rate are told when the sound is whole; until then the encoder's own. */
  readonly audio: {
    readonly codecs: string
    readonly bitsPerSecond: number
    readonly channels: number
    readonly segments: ReadonlyArray<Segment>
  } | null
}

const nothingYet: Rendition = { pieces: 0, segments: [], ahead: {} }
const newRun: Run = {
  types: {},
  media: null,
  ladder: [],
  chunks: { known: 0, whole: false },
  rungs: {},
  sound: nothingYet,
  audio: null,
}

export const noPlayback: Playback = {
  visibility: null,
  takenDown: null,
  failed: null,
  playable: null,
  published: null,
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
    case "EncodeAudio": {
      const sound = pieces.reduce((known, { n, facts }) => {
        const piece = orNothing(readSound(facts))
        const isHeard = piece !== null && (piece.rendition ?? DEFAULT_SOUND) === DEFAULT_SOUND
        return isHeard ? withPiece(known, n, piece.segments) : known
      }, run.sound)
      return { ...run, sound }
    }
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
      return { ...playback, playable, failed: null, runs: from(playback.runs, playable) }
    }
    case "VideoPublished":
      return { ...playback, published: runOf(event.transcode), failed: null, runs: {} }
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

/** TARGETDURATION is a promise (RFC 8216 §4.4.3.1): a longer segment stops the list until publish. */
const promised = (segments: ReadonlyArray<Segment>, targetDuration: number) => {
  const tooLong = segments.findIndex(
    ({ duration }) => Math.round(duration / TICKS) > targetDuration,
  )
  return tooLong < 0 ? segments : segments.slice(0, tooLong)
}

const AAC_LC = "mp4a.40.2"
const AUDIO_BITS_PER_SECOND = 128_000

const soundOf = ({ audio, sound }: Run, media: Media): Growing["audio"] => {
  const heard = audio === null ? null : defaultSound(audio)
  if (media.audio === null || (audio !== null && heard === null)) return null
  return {
    codecs: heard?.codecs ?? AAC_LC,
    bitsPerSecond: heard?.bitsPerSecond ?? AUDIO_BITS_PER_SECOND,
    channels: heard?.channels ?? media.audio.channels,
    segments: promised(sound.segments, media.targetDuration),
  }
}

/** A rung is worth naming when its first two pieces are done, or all if there are fewer. */
const growing = (run: Run): Growing | null => {
  const { media, ladder, chunks } = run
  if (media === null) return null
  const rungs = ladder
    .map((rung) => ({
      rung,
      segments: promised(run.rungs[rung.name]?.segments ?? [], media.targetDuration),
    }))
    .filter(({ segments }) => segments.length > 0)
  const audio = soundOf(run, media)
  const least = chunks.whole ? Math.min(2, chunks.known) : 2
  const ready = rungs.filter(({ rung }) => (run.rungs[rung.name]?.pieces ?? 0) >= least)
  // The log has said that it can be watched: then one piece will do. A list without segments won't.
  const named = (ready.length > 0 ? ready : rungs).map(({ rung }) => rung)
  return named.length === 0 || audio?.segments.length === 0 ? null : { media, named, rungs, audio }
}

export const doorOf = (playback: Playback): Door => {
  const { visibility, takenDown, failed, playable, published } = playback
  if (visibility === null || visibility === "private") return { _tag: "Absent" }
  if (takenDown !== null) return { _tag: "Closed", reason: takenDown }
  if (published !== null) return { _tag: "Final", run: published }
  if (failed !== null) return { _tag: "Failed", code: failed }
  if (playable === null) return { _tag: "Waiting" }
  const run = playback.runs[playable]
  const lists = run === undefined ? null : growing(run)
  return lists === null ? { _tag: "Waiting" } : { _tag: "Growing", run: playable, lists }
}
