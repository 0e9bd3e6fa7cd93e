/**
 * Everything the platform asks of media programs: what a source is, how it splits, the segments of
 * a piece, its sound and its pictures. Bytes come from a `Source` that the caller gives, results
 * go back in memory. Untrusted bytes are touched in a sandbox only. `ffmpeg.ts` is the real one.
 */
import { Context, type Effect, Schema } from "effect"
import type { Box, MarkKind } from "#domain/channel/watermark.ts"
import type { Piece } from "#domain/scheduling/events.ts"
import type {
  Audio,
  CopyRefusal,
  ImageFile,
  Media,
  Picture,
  Rung,
  Segment,
  Text,
} from "#domain/transcode/facts.ts"

/** Half-open, in bytes. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** The bytes a user uploaded, perhaps still arriving. `E`: how the caller's store fails. */
export interface Source<E> {
  readonly byteLength: number
  /** Waits until these bytes are there. */
  readonly read: (range: ByteRange) => Effect.Effect<Uint8Array, E>
  /** Path of a local file of all of them: waits for the last one. Asked for more than once: the caller keeps it. */
  readonly whole: Effect.Effect<string, E>
}

export const RefusalCode = Schema.Literals([
  "empty",
  "not_a_video",
  "no_media",
  "unreadable",
  "no_video",
  "no_picture_size",
  "unsupported_codec",
  "too_many_streams",
  "too_long",
  "too_many_pixels",
  "no_decodable_frames",
  "encrypted",
  "hostile_input",
  /** More processor time, memory or output than its size can ask for, and no second try helps. */
  "too_expensive",
])
export type RefusalCode = typeof RefusalCode.Type

/** Fatal: no retry can help; `code` is told to the uploader. */
export class SourceRefused extends Schema.TaggedError<SourceRefused>()("SourceRefused", {
  code: RefusalCode,
}) {}

/** Recoverable. `detail`: last words of the program, one line, nothing a user wrote. */
export class EncoderCrashed extends Schema.TaggedError<EncoderCrashed>()("EncoderCrashed", {
  detail: Schema.String,
}) {}

/** Recoverable: no memory for the program, its limit doubled once. */
export class OutOfMemory extends Schema.TaggedError<OutOfMemory>()("OutOfMemory", {
  mebibytes: Schema.Int,
}) {}

/** Recoverable: over its wall-clock or processor limit. */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", {
  limit: Schema.Literals(["wall", "cpu"]),
  seconds: Schema.Finite,
}) {}

/** Recoverable on another machine: nothing here can run a program on untrusted bytes. */
export class SandboxUnavailable extends Schema.TaggedError<SandboxUnavailable>()(
  "SandboxUnavailable",
  { detail: Schema.String },
) {}

/** Recoverable: the scratch directory cannot be written or read. */
export class ScratchUnavailable extends Schema.TaggedError<ScratchUnavailable>()(
  "ScratchUnavailable",
  { cause: Schema.Defect() },
) {}

export type MediaFailure =
  | SourceRefused
  | EncoderCrashed
  | OutOfMemory
  | TimedOut
  | SandboxUnavailable
  | ScratchUnavailable

/** What the programs behind a result used. */
export interface Spent {
  readonly cpuSeconds: number
  readonly peakMebibytes: number
}

export interface Inspected extends Spent {
  readonly media: Media
  /** Lowest first: groups `r1`, `r2`, … */
  readonly rungs: ReadonlyArray<Rung>
  /** Why the top rung is not the source's own coded pictures, where it is not. */
  readonly copyRefused?: ReadonlyArray<string>
  /** The index of the source, grid included, as an object to be kept: all later calls ask for these bytes. */
  readonly index: Uint8Array
}

/** How pictures are shown, where not as they are. */
export type Look = "gray"

/** A piece to be emitted, and the bytes of the source it needs; `null`: all of them. */
export interface PlannedPiece {
  readonly piece: Piece & Required<Pick<Piece, "from" | "to" | "frames" | "keyPts" | "groups">>
  readonly ranges: ReadonlyArray<ByteRange> | null
}

export interface SegmentFile extends Segment {
  readonly data: Uint8Array
}

export interface EncodeJob<E> {
  readonly source: Source<E>
  readonly index: Uint8Array
  readonly piece: Piece
  /** One rung, or all of them: one decode, a cascade of scales. */
  readonly rungs: ReadonlyArray<Rung>
  /** A directory of this task alone. */
  readonly directory: string
  /** Fast rather than small: a third less processor time for a tenth more bytes. */
  readonly isHurried?: boolean
  readonly mark?: Mark
}

/** Laid over every frame, in a picture of the size of the top rung: so it is the same on every rung. */
export interface Mark {
  /** A PNG of our own. */
  readonly image: Uint8Array
  readonly canvas: { readonly width: number; readonly height: number }
  readonly box: Box
  readonly opacity: number
}

export interface Encoded extends Spent {
  readonly rungs: ReadonlyArray<{
    readonly rung: string
    /** The same bytes for every piece of a rung. */
    readonly init: Uint8Array
    readonly segments: ReadonlyArray<SegmentFile>
    /** RFC 6381, of a rung that is no H.264: read out of its header. */
    readonly codecs?: string
  }>
  /** Frames are missing, or decoded from bytes that are not what they were. */
  readonly isDamaged?: boolean
  /** Which way of cutting gave the planned frames; `damaged`: none, these are the ones that can be had; `copied`: no cutting, from the published segments. */
  readonly way: "sparse" | "counted" | "pre-roll" | "whole" | "damaged" | "copied"
  /** The copied rung's bytes proved unfit: it was encoded, under its other name. */
  readonly refused?: CopyRefusal
}

/** A few segments of one rendition of the sound, in order; the init segment is the same in each batch. */
export interface AudioBatch {
  readonly rendition: string
  /** Among all renditions; 0: the default one. */
  readonly place: number
  readonly init: Uint8Array
  readonly segments: ReadonlyArray<SegmentFile>
}

export interface AudioJob<E> {
  readonly source: Source<E>
  readonly index: Uint8Array
  readonly directory: string
  /** Called while the encoder runs; the encoder waits for it. */
  readonly emit: (batch: AudioBatch) => Effect.Effect<void, E>
}

export interface PictureJob<E> {
  readonly source: Source<E>
  readonly index: Uint8Array
  readonly directory: string
}

export interface ImageData extends Omit<ImageFile, "key" | "bytes"> {
  /** Relative: `1-640.jpg`. */
  readonly name: string
  readonly data: Uint8Array
}

/** One picture of the video: its copies, smallest first. */
export interface ThumbnailFiles {
  /** Ticks. */
  readonly at: number
  readonly files: ReadonlyArray<ImageData>
}

/** An image that a user uploaded, perhaps none at all. */
export interface ImageJob {
  readonly bytes: Uint8Array
  /** Of its copies: `{name}-640.jpg`. */
  readonly name: string
  readonly directory: string
}

/** What a watermark is made of: an image, or a text in UTF-8. */
export interface MarkJob {
  readonly bytes: Uint8Array
  readonly kind: MarkKind
  readonly directory: string
}

/** A PNG that shines through where the mark is not. */
export interface MarkFile extends Spent {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** Fatal: it is no image that can be shown; `code` is told to the uploader. */
export class ImageRefused extends Schema.TaggedError<ImageRefused>()("ImageRefused", {
  code: Schema.Literals(["not_an_image", "unreadable_image", "too_many_pixels"]),
}) {}

export interface SpriteFile extends Omit<Picture, "key" | "files"> {
  readonly name: string
  readonly data: Uint8Array
}

export interface StoryboardFiles extends Spent {
  readonly sprites: ReadonlyArray<SpriteFile>
  /** WebVTT whose cues name the sprites relatively: `storyboard-0.jpg#xywh=…`. */
  readonly vtt: string
}

export interface TextFiles extends Spent {
  readonly text: Text
  /** WebVTT, one for each track. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly data: Uint8Array }>
}

export class MediaTools extends Context.Service<
  MediaTools,
  {
    /** How programs are confined here: shown in the worker's health. */
    readonly sandbox: "bwrap" | "landlock"
    /** Same build, arguments and bytes: same result, bit by bit. */
    readonly build: string
    /** Reads the head and the index, of MP4 without any sample but the first; other containers whole. */
    readonly inspect: <E>(
      source: Source<E>,
      directory: string,
    ) => Effect.Effect<Inspected, MediaFailure | E>
    /** The index of the same source, whose pictures are shown like this wherever it is used. */
    readonly look: (index: Uint8Array, look: Look) => Effect.Effect<Uint8Array>
    /** All pieces, in order. Pieces 0 and 1 name the group that is watched first and `all`, later ones `all`. */
    readonly split: (
      index: Uint8Array,
      rungs: ReadonlyArray<Rung>,
    ) => Effect.Effect<ReadonlyArray<PlannedPiece>>
    readonly encode: <E>(job: EncodeJob<E>) => Effect.Effect<Encoded, MediaFailure | E>
    /** One pass over the sound, all its renditions. None, and nothing emitted, where there is no sound. */
    readonly encodeAudio: <E>(
      job: AudioJob<E>,
    ) => Effect.Effect<{ readonly audio: Audio } & Spent, MediaFailure | E>
    /** Subtitles as WebVTT, and chapters. The source is not read where it has neither. */
    readonly extractText: <E>(job: PictureJob<E>) => Effect.Effect<TextFiles, MediaFailure | E>
    /** Three of them, the one to show first: the best of frames spread over the video. */
    readonly thumbnails: <E>(
      job: PictureJob<E>,
    ) => Effect.Effect<{ readonly images: ReadonlyArray<ThumbnailFiles> } & Spent, MediaFailure | E>
    /** A user's own image in place of them: the same copies, of its pixels alone. */
    readonly ownImage: (
      job: ImageJob,
    ) => Effect.Effect<
      { readonly files: ReadonlyArray<ImageData> } & Spent,
      MediaFailure | ImageRefused
    >
    readonly mark: (job: MarkJob) => Effect.Effect<MarkFile, MediaFailure | ImageRefused>
    readonly storyboard: <E>(job: PictureJob<E>) => Effect.Effect<StoryboardFiles, MediaFailure | E>
  }
>()("infra/media/MediaTools") {}
