/** What a manifest tells of a video, HLS and DASH alike: its pictures, its sounds, its texts. */
import type { Rung, SoundRendition, TextTrack } from "./facts.ts"

export interface Variant {
  readonly rung: Rung
  readonly framesPerSecond: number
  /** Of the video alone: the cap while it grows, the largest segment's when it is whole. */
  readonly peakBitsPerSecond: number
  readonly averageBitsPerSecond?: number
}

export type Sound = Pick<
  SoundRendition,
  "name" | "group" | "language" | "title" | "isDefault" | "codecs" | "channels" | "bitsPerSecond"
>

/** The key pictures of one rung, read out of its segments. */
export interface KeyPictures {
  readonly rung: Rung
  readonly bitsPerSecond: number
}

export interface Presentation {
  /** Lowest rung first: a player that begins with the first one shows a picture soonest. */
  readonly variants: ReadonlyArray<Variant>
  /** The default one first. None: a silent video. */
  readonly sounds: ReadonlyArray<Sound>
  readonly texts: ReadonlyArray<TextTrack>
  readonly keyPictures: KeyPictures | null
  readonly hasChapters: boolean
}

/** Manifests of a video with more renditions than were published at first. */
export const EXTENDED = { hls: "all.m3u8", dash: "all.mpd" } as const

export type SoundGroup = Sound["group"]

/** A source's own words, fit for an attribute: one line, of bounded length. */
export const shown = (words: string): string =>
  words
    .replaceAll(/[\p{Cc}\u2028\u2029\uFFFE\uFFFF]+/gu, " ")
    .trim()
    .slice(0, 200)
    .toWellFormed()

/** A language tag, if it has the form of one: it comes from the source. */
export const tagOf = (language: string | null): string | null =>
  language !== null && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(language) ? language : null

const ownNameOf = (language: string): string => {
  const name = new Intl.DisplayNames([language], { type: "language", fallback: "none" })
  return name.of(language) ?? language
}

/** What a menu says: the title it was given, else the language in its own words. */
export const nameOf = (track: Pick<Sound, "title" | "language">, otherwise: string): string => {
  const title = shown(track.title ?? "")
  if (title !== "") return title
  const language = tagOf(track.language)
  return language === null ? otherwise : ownNameOf(language)
}

/** Names in a group differ (RFC 8216 §4.3.4.1.1). */
export const distinct = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return names.map((name) => {
    let own = name
    for (let n = 2; seen.has(own); n += 1) own = `${name} ${n}`
    seen.add(own)
    return own
  })
}
