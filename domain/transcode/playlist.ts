/**
 * The text of HLS playlists (RFC 8216bis), growing and final. URIs are relative, so that whatever
 * stands before them in a URL (a token, a host) is inherited: `{rung}.m3u8`, `{rung}/{k}.m4s`.
 */
import { type Rung, type Segment, TICKS } from "./facts.ts"

/** The rendition of the sound is a folder like any rung's. */
export const AUDIO = "audio"

export interface Variant {
  readonly rung: Rung
  readonly framesPerSecond: number
  /** Of the video alone: the cap while it grows, the largest segment's when it is whole. */
  readonly peakBitsPerSecond: number
  readonly averageBitsPerSecond?: number
}

export interface Sound {
  readonly codecs: string
  readonly channels: number
  readonly bitsPerSecond: number
}

export interface MediaList {
  /** `720p`, or `audio`. */
  readonly name: string
  /** Seconds; no segment is longer. */
  readonly targetDuration: number
  readonly segments: ReadonlyArray<Pick<Segment, "k" | "duration">>
  /** Nothing more will come. */
  readonly isWhole: boolean
}

const lines = (...text: ReadonlyArray<string>) => `${text.join("\n")}\n`

const seconds = (ticks: number) => (ticks / TICKS).toFixed(6)

const streamOf = (variant: Variant, sound: Sound | null): string => {
  const { rung, framesPerSecond, peakBitsPerSecond, averageBitsPerSecond } = variant
  const heard = sound?.bitsPerSecond ?? 0
  const attributes = [
    `BANDWIDTH=${peakBitsPerSecond + heard}`,
    ...(averageBitsPerSecond === undefined
      ? []
      : [`AVERAGE-BANDWIDTH=${averageBitsPerSecond + heard}`]),
    `CODECS="${sound === null ? rung.codecs : `${rung.codecs},${sound.codecs}`}"`,
    `RESOLUTION=${rung.width}x${rung.height}`,
    `FRAME-RATE=${framesPerSecond.toFixed(3)}`,
    ...(sound === null ? [] : [`AUDIO="${AUDIO}"`]),
  ]
  return `#EXT-X-STREAM-INF:${attributes.join(",")}`
}

const soundOf = ({ channels }: Sound): string => {
  const attributes = [
    "TYPE=AUDIO",
    `GROUP-ID="${AUDIO}"`,
    'NAME="main"',
    "DEFAULT=YES",
    "AUTOSELECT=YES",
    `CHANNELS="${channels}"`,
    `URI="${AUDIO}.m3u8"`,
  ]
  return `#EXT-X-MEDIA:${attributes.join(",")}`
}

/** Lowest rung first: a player that begins with the first one shows a picture soonest. */
export const multivariantList = (variants: ReadonlyArray<Variant>, sound: Sound | null): string =>
  lines(
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...(sound === null ? [] : [soundOf(sound)]),
    ...variants.flatMap((variant) => [streamOf(variant, sound), `${variant.rung.name}.m3u8`]),
  )

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
