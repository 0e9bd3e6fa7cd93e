/** What of one transcode may be watched while it grows: its lists as they stand. */
import {
  type Audio,
  DEFAULT_SOUND,
  type Media,
  type Rung,
  type Segment,
  type Text,
  type TextTrack,
  TICKS,
} from "#domain/transcode/facts.ts"
import { offered } from "#domain/transcode/ladder.ts"
import type { Sound } from "#domain/transcode/presentation.ts"

/** Segments in order as far as nothing is missing, and the pieces that are done beyond the gap. */
export interface Rendition {
  readonly pieces: number
  readonly segments: ReadonlyArray<Segment>
  readonly ahead: Readonly<Record<number, ReadonlyArray<Segment>>>
}

/** One transcode of the video, while it grows. */
export interface Run {
  /** Task type of each step, as planned. */
  readonly types: Readonly<Record<string, string>>
  readonly media: Media | null
  readonly ladder: ReadonlyArray<Rung>
  readonly chunks: { readonly known: number; readonly whole: boolean }
  readonly rungs: Readonly<Record<string, Rendition>>
  /** By name; beside the default one only once all are whole: who speaks what is told then. */
  readonly sounds: Readonly<Record<string, Rendition>>
  readonly audio: Audio | null
  readonly text: Text | null
}

export interface GrowingRung {
  readonly rung: Rung
  readonly segments: ReadonlyArray<Segment>
}

export interface GrowingSound {
  /** Codecs and bit rate are told when the sound is whole; until then the encoder's own. */
  readonly sound: Sound
  readonly segments: ReadonlyArray<Segment>
}

/** The lists as they stand: rungs worth naming (lowest first), those that have segments, sounds and texts. */
export interface Growing {
  readonly media: Media
  readonly playableAt: number
  readonly named: ReadonlyArray<Rung>
  readonly rungs: ReadonlyArray<GrowingRung>
  /** The default one first; none: a silent video. */
  readonly sounds: ReadonlyArray<GrowingSound>
  readonly texts: ReadonlyArray<TextTrack>
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

const firstSound = (channels: number): Sound => ({
  name: DEFAULT_SOUND,
  group: "stereo",
  language: null,
  title: null,
  isDefault: true,
  codecs: AAC_LC,
  channels: Math.min(2, channels),
  bitsPerSecond: AUDIO_BITS_PER_SECOND,
})

const soundsOf = ({ audio, sounds }: Run, media: Media): Growing["sounds"] => {
  if (media.audio === null) return []
  const told = audio?.renditions ?? [firstSound(media.audio.channels)]
  return told
    .map((sound) => ({
      sound,
      segments: promised(sounds[sound.name]?.segments ?? [], media.targetDuration),
    }))
    .filter(({ sound, segments }) => sound.name === DEFAULT_SOUND || segments.length > 0)
}

/** A rung is worth naming when its first two pieces are done, or all if there are fewer. */
export const growing = (run: Run, playableAt: number): Growing | null => {
  const { media, ladder, chunks, text } = run
  if (media === null) return null
  const rungs = ladder
    .map((rung) => ({
      rung,
      segments: promised(run.rungs[rung.name]?.segments ?? [], media.targetDuration),
    }))
    .filter(({ segments }) => segments.length > 0)
  const sounds = soundsOf(run, media)
  const least = chunks.whole ? Math.min(2, chunks.known) : 2
  const begun = rungs.filter(({ rung }) => (run.rungs[rung.name]?.pieces ?? 0) >= least)
  const settled = offered(ladder, (name) => run.rungs[name]?.segments ?? [], least)
  // Until every rung has told what it comes to, only those are named that are never dropped.
  const isKept = ({ name }: Rung) =>
    settled?.some((rung) => rung.name === name) ??
    (name === ladder[0]?.name || name === ladder.at(-1)?.name)
  const ready = begun.filter(({ rung }) => isKept(rung))
  // The log has said that it can be watched: then one piece will do. A list without segments won't.
  const named = (ready.length > 0 ? ready : rungs).map(({ rung }) => rung)
  if (named.length === 0 || sounds.some(({ segments }) => segments.length === 0)) return null
  return { media, playableAt, named, rungs, sounds, texts: text?.tracks ?? [] }
}
