/**
 * What the tasks of a transcode tell about the video: the outputs that others read, be they a
 * later task, the playlists or the pages. All times are ticks of 1/90000 s on the video's own
 * timeline, which begins at 0.
 */
import { Schema } from "effect"

export const TICKS = 90_000

/** What else than H.264 a rendition may be coded in. */
export const Codec = Schema.Literals(["vp9", "hevc", "av1"])
export type Codec = typeof Codec.Type

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
  /** None: H.264. */
  codec: Schema.optionalKey(Codec),
  /** The source's own coded pictures: `maxBitsPerSecond` is that of its largest segment. */
  copied: Schema.optionalKey(
    Schema.Struct({
      /** What it is encoded as where its bytes prove unfit: its header differs, so its name does. */
      instead: Schema.Struct({
        name: Schema.String,
        maxBitsPerSecond: Schema.Int,
        codecs: Schema.String,
      }),
    }),
  ),
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
  /** It plays, but not all of it is as it was: told by whichever task finds out. */
  damaged: Schema.optionalKey(Schema.Boolean),
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
  /** Of `encode-video`: which way of cutting gave the planned frames. `reused`: done before, of the same bytes. */
  way: Schema.optionalKey(Schema.String),
  /** Encoded fast rather than small, because much was queued. */
  isHurried: Schema.optionalKey(Schema.Boolean),
})
export type Work = typeof Work.Type

/** `encode-video` → `segments`: for one piece, each rung of its group. */
export const EncodedPiece = Schema.Struct({
  n: Schema.Int,
  rungs: Schema.Array(
    Schema.Struct({
      rung: Schema.String,
      initBytes: Schema.Int,
      segments: Schema.Array(Segment),
      /** RFC 6381, read out of its header. None: as the rung says. */
      codecs: Schema.optionalKey(Schema.String),
    }),
  ),
  damaged: Schema.optionalKey(Schema.Boolean),
})
export type EncodedPiece = typeof EncodedPiece.Type

/** `encode-video` → `refused`: why this piece of a copied rung was encoded instead. */
export const CopyRefusal = Schema.Struct({ rung: Schema.String, reason: Schema.String })
export type CopyRefusal = typeof CopyRefusal.Type

/** Folder and playlist name of the sound that is heard unless another is chosen. */
export const DEFAULT_SOUND = "audio"
/** Piece `n` of `encode-audio`: the rendition's place in the list times this, and its pieces so far. */
export const PIECES_PER_SOUND = 2 ** 20

/** `encode-audio`: the `facts` of each piece it emits while it runs. */
export const AudioPiece = Schema.Struct({
  /** None: `audio`. */
  rendition: Schema.optionalKey(Schema.String),
  segments: Schema.Array(Segment),
})
export type AudioPiece = typeof AudioPiece.Type

/** As EBU R 128 measures it, over the whole track. */
export const Loudness = Schema.Struct({
  integratedLufs: Schema.Finite,
  truePeakDbtp: Schema.Finite,
  rangeLu: Schema.Finite,
  isSilent: Schema.Boolean,
  isClipped: Schema.Boolean,
})
export type Loudness = typeof Loudness.Type

export const SoundRendition = Schema.Struct({
  /** `audio`, `audio-51`, `audio-1`, …: folder and playlist name. */
  name: Schema.String,
  group: Schema.Literals(["stereo", "surround"]),
  /** BCP 47. */
  language: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  /** Of its group. */
  isDefault: Schema.Boolean,
  codecs: Schema.String,
  channels: Schema.Int,
  initBytes: Schema.Int,
  segmentCount: Schema.Int,
  /** Of the largest segment. */
  bitsPerSecond: Schema.Int,
  /** `null`: it could not be measured. */
  loudness: Schema.NullOr(Loudness),
})
export type SoundRendition = typeof SoundRendition.Type

/** `encode-audio` → `audio`, in the end. */
export const Audio = Schema.Struct({
  /** The default one first; none: the source has no sound. */
  renditions: Schema.Array(SoundRendition),
  damaged: Schema.optionalKey(Schema.Boolean),
})
export type Audio = typeof Audio.Type

/** One WebVTT object for the whole video: `segments/{videoId}/{run}/{name}/0.vtt`. */
export const TextTrack = Schema.Struct({
  /** `text-0`, … */
  name: Schema.String,
  kind: Schema.Literals(["subtitles", "captions"]),
  /** BCP 47. */
  language: Schema.NullOr(Schema.String),
  title: Schema.NullOr(Schema.String),
  isDefault: Schema.Boolean,
  /** Shown to everybody: what is said in a language that most do not understand. */
  isForced: Schema.Boolean,
  bytes: Schema.Int,
})
export type TextTrack = typeof TextTrack.Type

export const Chapter = Schema.Struct({
  start: Schema.Int,
  end: Schema.Int,
  title: Schema.String,
})
export type Chapter = typeof Chapter.Type

/** `extract-text` → `text`. */
export const Text = Schema.Struct({
  tracks: Schema.Array(TextTrack),
  chapters: Schema.Array(Chapter),
  /** Codecs of the tracks that are pictures, not text: left out. */
  leftOut: Schema.optionalKey(Schema.Array(Schema.String)),
})
export type Text = typeof Text.Type

export const ImageFormat = Schema.Literals(["jpeg", "webp"])
export type ImageFormat = typeof ImageFormat.Type

/** A copy of a picture: never larger than the video. */
export const ImageFile = Schema.Struct({
  key: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  format: ImageFormat,
  bytes: Schema.Int,
})
export type ImageFile = typeof ImageFile.Type

/** `thumbnails` → `images`, best first; `storyboard` → `storyboard`: object keys. */
export const Picture = Schema.Struct({
  /** Its largest JPEG. */
  key: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  /** Where in the video, ticks. */
  at: Schema.Int,
  /** Smallest first. */
  files: Schema.optionalKey(Schema.Array(ImageFile)),
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
