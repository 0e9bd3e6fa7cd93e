/**
 * The text of HLS playlists (RFC 8216bis), growing and final. URIs are relative, so that whatever
 * stands before them in a URL (a token, a host) is inherited: `{rung}.m3u8`, `{rung}/{k}.m4s`.
 */
import { type Segment, type TextTrack, TICKS } from "./facts.ts"
import {
  distinct,
  type KeyPictures,
  nameOf,
  type Presentation,
  type Sound,
  type SoundGroup,
  tagOf,
  type Variant,
} from "./presentation.ts"

export const CHAPTERS = "chapters.json"
const TEXTS = "text"

export interface MediaList {
  /** `720p`, or `audio`. */
  readonly name: string
  /** Seconds; no segment is longer. */
  readonly targetDuration: number
  readonly segments: ReadonlyArray<Pick<Segment, "k" | "duration">>
  /** Nothing more will come. */
  readonly isWhole: boolean
}

/** The first picture of a segment, with what stands before it: bytes from the segment's first. */
export interface KeyPicture extends Pick<Segment, "k" | "start" | "duration"> {
  readonly bytes: number
}

const lines = (...text: ReadonlyArray<string>) => `${text.join("\n")}\n`

const seconds = (ticks: number) => (ticks / TICKS).toFixed(6)

/** A quoted string may hold neither quote nor line end (RFC 8216 §4.2). */
const quoted = (words: string) => `"${words.replaceAll('"', "”")}"`
const yesOrNo = (isSo: boolean) => (isSo ? "YES" : "NO")

/** `NAME=value` of what there is. */
const attributes = (of: Readonly<Record<string, string | number | null>>): string =>
  Object.entries(of)
    .flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]))
    .join(",")

export const keysListName = (rung: string): string => `${rung}-keys`

// The multivariant playlist

interface Group {
  readonly id: SoundGroup
  readonly members: ReadonlyArray<Sound>
}

/** Every group has the same members (RFC 8216 §4.3.4.2.1): who has no surround is there in stereo. */
const groupsOf = (sounds: ReadonlyArray<Sound>): ReadonlyArray<Group> => {
  const stereo = sounds.filter(({ group }) => group === "stereo")
  const surround = sounds.filter(({ group }) => group === "surround")
  if (surround.length === 0) return stereo.length === 0 ? [] : [{ id: "stereo", members: stereo }]
  if (stereo.length === 0) return [{ id: "surround", members: surround }]
  const trackOf = ({ language, title }: Sound) => `${language} ${title}`
  const left = [...surround]
  const members = stereo.map((sound) => {
    const at = left.findIndex((wide) => trackOf(wide) === trackOf(sound))
    return at < 0 ? sound : (left.splice(at, 1)[0] ?? sound)
  })
  return [
    { id: "stereo", members: stereo },
    { id: "surround", members },
  ]
}

const soundLines = ({ id, members }: Group): ReadonlyArray<string> => {
  const names = distinct(members.map((sound) => nameOf(sound, "main")))
  const standard = Math.max(
    members.findIndex(({ isDefault }) => isDefault),
    0,
  )
  return members.map(({ name, language, channels }, i) => {
    const tag = tagOf(language)
    const told = attributes({
      TYPE: "AUDIO",
      "GROUP-ID": quoted(id),
      NAME: quoted(names[i] ?? name),
      LANGUAGE: tag === null ? null : quoted(tag),
      DEFAULT: yesOrNo(i === standard),
      AUTOSELECT: "YES",
      CHANNELS: quoted(`${channels}`),
      URI: quoted(`${name}.m3u8`),
    })
    return `#EXT-X-MEDIA:${told}`
  })
}

const captions = [
  "public.accessibility.transcribes-spoken-dialog",
  "public.accessibility.describes-music-and-sound",
].join(",")

const textLines = (texts: ReadonlyArray<TextTrack>): ReadonlyArray<string> => {
  const names = distinct(texts.map((track) => nameOf(track, track.kind)))
  // One at most may be the default.
  const standard = texts.findIndex(({ isDefault }) => isDefault)
  return texts.map(({ name, kind, language, isForced }, i) => {
    const tag = tagOf(language)
    const told = attributes({
      TYPE: "SUBTITLES",
      "GROUP-ID": quoted(TEXTS),
      NAME: quoted(names[i] ?? name),
      LANGUAGE: tag === null ? null : quoted(tag),
      DEFAULT: yesOrNo(i === standard),
      AUTOSELECT: yesOrNo(i === standard || isForced || tag !== null),
      FORCED: yesOrNo(isForced),
      CHARACTERISTICS: kind === "captions" ? quoted(captions) : null,
      URI: quoted(`${name}.m3u8`),
    })
    return `#EXT-X-MEDIA:${told}`
  })
}

const sizeOf = ({ rung }: Pick<Variant, "rung">) => `${rung.width}x${rung.height}`

const streamOf = (variant: Variant, group: Group | null, hasTexts: boolean): string => {
  const { rung, framesPerSecond, peakBitsPerSecond, averageBitsPerSecond } = variant
  const members = group?.members ?? []
  const heard = Math.max(0, ...members.map(({ bitsPerSecond }) => bitsPerSecond))
  const codecs = [...new Set([rung.codecs, ...members.map((sound) => sound.codecs)])]
  const told = attributes({
    BANDWIDTH: peakBitsPerSecond + heard,
    "AVERAGE-BANDWIDTH": averageBitsPerSecond === undefined ? null : averageBitsPerSecond + heard,
    CODECS: quoted(codecs.join(",")),
    RESOLUTION: sizeOf(variant),
    "FRAME-RATE": framesPerSecond.toFixed(3),
    AUDIO: group === null ? null : quoted(group.id),
    SUBTITLES: hasTexts ? quoted(TEXTS) : null,
    "CLOSED-CAPTIONS": "NONE",
  })
  return `#EXT-X-STREAM-INF:${told}`
}

const keysLine = ({ rung, bitsPerSecond }: KeyPictures): string => {
  const told = attributes({
    BANDWIDTH: bitsPerSecond,
    CODECS: quoted(rung.codecs),
    RESOLUTION: sizeOf({ rung }),
    URI: quoted(`${keysListName(rung.name)}.m3u8`),
  })
  return `#EXT-X-I-FRAME-STREAM-INF:${told}`
}

const chaptersLine = `#EXT-X-SESSION-DATA:DATA-ID="com.apple.hls.chapters",URI="${CHAPTERS}"`

export const multivariantList = (presentation: Presentation): string => {
  const { variants, sounds, texts, keyPictures, hasChapters } = presentation
  const groups = groupsOf(sounds)
  const heard: ReadonlyArray<Group | null> = groups.length === 0 ? [null] : groups
  return lines(
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...(hasChapters ? [chaptersLine] : []),
    ...groups.flatMap(soundLines),
    ...textLines(texts),
    ...heard.flatMap((group) =>
      variants.flatMap((variant) => [
        streamOf(variant, group, texts.length > 0),
        `${variant.rung.name}.m3u8`,
      ]),
    ),
    ...(keyPictures === null ? [] : [keysLine(keyPictures)]),
  )
}

// Media playlists

/** What a whole list of ours names. */
export const segmentsIn = (list: string): ReadonlyArray<Omit<Segment, "bytes">> => {
  let start = 0
  return [...list.matchAll(/^#EXTINF:([0-9.]+),\n[^\n]*\/([0-9]+)\.m4s$/gm)].map(
    ([, length, k]) => {
      const duration = Math.round(Number(length) * TICKS)
      start += duration
      return { k: Number(k), start: start - duration, duration }
    },
  )
}

export const mediaList = ({ name, targetDuration, segments, isWhole }: MediaList): string =>
  lines(
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDuration}`,
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.k ?? 0}`,
    `#EXT-X-PLAYLIST-TYPE:${isWhole ? "VOD" : "EVENT"}`,
    "#EXT-X-INDEPENDENT-SEGMENTS",
    `#EXT-X-MAP:URI="${name}/init.mp4"`,
    ...segments.flatMap(({ k, duration }) => [`#EXTINF:${seconds(duration)},`, `${name}/${k}.m4s`]),
    ...(isWhole ? ["#EXT-X-ENDLIST"] : []),
  )

/** One WebVTT file from beginning to end: whole from the start, and free to promise another length. */
export const textList = (name: string, durationTicks: number): string =>
  lines(
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(durationTicks / TICKS))}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    `#EXTINF:${seconds(durationTicks)},`,
    `${name}/0.vtt`,
    "#EXT-X-ENDLIST",
  )

/** Each picture lasts until the next one, whatever else its segment holds (RFC 8216bis §4.4.3.6). */
export const keysList = (name: string, pictures: ReadonlyArray<KeyPicture>): string => {
  const end = (pictures.at(-1)?.start ?? 0) + (pictures.at(-1)?.duration ?? 0)
  const lengths = pictures.map(({ start }, i) => (pictures[i + 1]?.start ?? end) - start)
  return lines(
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(Math.max(...lengths, 0) / TICKS))}`,
    `#EXT-X-MEDIA-SEQUENCE:${pictures[0]?.k ?? 0}`,
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-I-FRAMES-ONLY",
    `#EXT-X-MAP:URI="${name}/init.mp4"`,
    ...pictures.flatMap(({ k, bytes }, i) => [
      `#EXTINF:${seconds(lengths[i] ?? 0)},`,
      `#EXT-X-BYTERANGE:${bytes}@0`,
      `${name}/${k}.m4s`,
    ]),
    "#EXT-X-ENDLIST",
  )
}
