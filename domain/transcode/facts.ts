/**
 * What the tasks of a transcode tell about the video: the outputs that others read, be they a
 * later task, the playlists or the pages. All times are ticks of 1/90000 s on the video's own
 * timeline, which begins at 0.
 */
import { Schema } from "effect"

export const TICKS = 90_000

/** One encoding of the ladder. `group` is its place, lowest first: `r1`, `r2`, … */
export const Rung = Schema.Struct({
  /** Folder and playlist name: `720p`. */
  name: Schema.String,
  group: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  /** The cap of its rate control, bits/s: BANDWIDTH while the list grows. */
  maxBitsPerSecond: Schema.Int,
  /** RFC 6381, as the encoder is told to make it. */
  codecs: Schema.String,
})
export type Rung = typeof Rung.Type

/** `inspect` → `media`: what the source is. Display size: after rotation, pixel aspect and rounding to even. */
export const Media = Schema.Struct({
  demuxer: Schema.String,
  video: Schema.Struct({
    index: Schema.Int,
    codec: Schema.String,
    width: Schema.Int,
    height: Schema.Int,
    framesPerSecond: Schema.Finite,
    bitsPerSecond: Schema.NullOr(Schema.Int),
  }),
  audio: Schema.NullOr(
    Schema.Struct({
      index: Schema.Int,
      codec: Schema.String,
      channels: Schema.Int,
      samplesPerSecond: Schema.Int,
    }),
  ),
  durationTicks: Schema.Int,
  /** Of the playlists, seconds: never changes once told. */
  targetDuration: Schema.Int,
  byteLength: Schema.Int,
})
export type Media = typeof Media.Type

/** A segment of one rendition: number on the grid, first presentation time, length, size. */
export const Segment = Schema.Struct({
  k: Schema.Int,
  start: Schema.Int,
  duration: Schema.Int,
  bytes: Schema.Int,
})
export type Segment = typeof Segment.Type

/** `work`, of every task that runs a program: what it took, for whoever looks for the costly and the odd. */
export const Work = Schema.Struct({
  peakMebibytes: Schema.Int,
  /** Of `encode-video`: which way of cutting gave the planned frames. */
  way: Schema.optionalKey(Schema.String),
})
export type Work = typeof Work.Type

/** `encode-video` → `segments`: for one piece, each rung of its group. */
export const EncodedPiece = Schema.Struct({
  n: Schema.Int,
  rungs: Schema.Array(
    Schema.Struct({ rung: Schema.String, initBytes: Schema.Int, segments: Schema.Array(Segment) }),
  ),
})
export type EncodedPiece = typeof EncodedPiece.Type

/** `encode-audio`: the `facts` of each piece it emits while it runs, a few segments each; and, in the end, `audio`. The rendition is named `audio`. */
export const AudioPiece = Schema.Struct({ segments: Schema.Array(Segment) })
export type AudioPiece = typeof AudioPiece.Type
export const Audio = Schema.Struct({
  /** `null`: the source has no sound. */
  codecs: Schema.NullOr(Schema.String),
  channels: Schema.Int,
  initBytes: Schema.Int,
  segmentCount: Schema.Int,
  bitsPerSecond: Schema.Int,
})
export type Audio = typeof Audio.Type

/** `thumbnails` → `images`, `storyboard` → `storyboard`: object keys. */
export const Picture = Schema.Struct({
  key: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  /** Where in the video, ticks. */
  at: Schema.Int,
})
export type Picture = typeof Picture.Type
export const Storyboard = Schema.Struct({
  vttKey: Schema.String,
  spriteKeys: Schema.Array(Schema.String),
})
export type Storyboard = typeof Storyboard.Type

/** `package` → `manifest`. */
export const Packaged = Schema.Struct({
  key: Schema.String,
  rungs: Schema.Array(
    Schema.Struct({
      rung: Schema.String,
      /** Measured over the whole rendition, and of its largest segment, bits/s. */
      averageBitsPerSecond: Schema.Int,
      peakBitsPerSecond: Schema.Int,
      segmentCount: Schema.Int,
      bytes: Schema.Int,
    }),
  ),
})
export type Packaged = typeof Packaged.Type
