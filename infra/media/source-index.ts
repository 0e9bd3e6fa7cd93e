/**
 * The index of a source: where each packet of its picture and sound lies, when each frame is shown,
 * and the grid. Made once, kept as one object (its facts compressed, then the head of the file), so
 * that a worker needs of the source itself only the bytes of its piece.
 */
import type { Timeline } from "#domain/transcode/chunks.ts"
import { TICKS } from "#domain/transcode/facts.ts"
import type { Look } from "./port.ts"
import type { Demuxer } from "./sniff.ts"

/** Packets in file order, a column each. */
export interface Packets {
  /** In the stream's time base; `null`: the container does not say. */
  readonly pts: ReadonlyArray<number | null>
  readonly size: ReadonlyArray<number>
  readonly at: ReadonlyArray<number>
  /** 1 key, 2 decoded but not shown. */
  readonly flags: ReadonlyArray<number>
}
export const KEY = 1
export const HIDDEN = 2

export type TimeBase = readonly [numerator: number, denominator: number]

/** What the frames say, which the container may contradict. */
export interface PictureFacts {
  readonly isHdr: boolean
  readonly isInterlaced: boolean
}

/** What its author says of a track. */
export interface Labels {
  /** BCP 47. */
  readonly language: string | null
  readonly title: string | null
  readonly isDefault: boolean
}

export interface SoundTrack extends Labels {
  readonly stream: number
  readonly channels: number
  readonly at: ReadonlyArray<number>
  readonly size: ReadonlyArray<number>
  readonly endTicks: number
}

export interface TextStream extends Labels {
  readonly stream: number
  readonly codec: string
  readonly isForced: boolean
  /** Made for those who do not hear. */
  readonly isCaption: boolean
}

export interface SourceIndex {
  readonly demuxer: Demuxer
  readonly byteLength: number
  /** Where clusters or fragments begin; of other containers none. */
  readonly units: ReadonlyArray<number>
  /** How the bytes of a piece are picked; `whole`: they are not. */
  readonly cut: "mp4" | "fragments" | "matroska" | "mpegts" | "flv" | "whole"
  readonly video: {
    readonly stream: number
    readonly timeBase: TimeBase
    readonly width: number
    readonly height: number
    /** 60 where the source has more: its frames are then those of the plan, not of the source. */
    readonly cappedTo: number | null
    readonly picture: PictureFacts
    readonly packets: Packets
    /** Presentation times of shown frames, in order, in the time base. */
    readonly frames: ReadonlyArray<number>
    /** Of key frames, in order. */
    readonly keys: ReadonlyArray<number>
  }
  readonly audio: SoundTrack | null
  /** The other languages, the comments. */
  readonly moreAudio: ReadonlyArray<SoundTrack>
  readonly texts: ReadonlyArray<TextStream>
  readonly hasChapters: boolean
  /** CEA-608, in the coded pictures. */
  readonly hasCaptions: boolean
  readonly look?: Look
  /** Start of the common timeline, 1/90000 s, not rounded. */
  readonly zero: number
  readonly grid: ReadonlyArray<number>
  readonly end: number
  /** The top rung is the source's own coded pictures: what viewers are told of them. */
  readonly copied?: {
    /** The `avcC` record, base64. */
    readonly avcC: string
    /** Primaries, transfer and matrix, the same in every rung. */
    readonly colour: readonly [number, number, number]
  }
}

/** An index, and the head of the file it describes: `ftyp` and `moov` of MP4. */
export interface OpenedIndex extends SourceIndex {
  readonly head: Buffer
}

export const ticksOf = (index: Pick<SourceIndex, "zero" | "video">, pts: number): number => {
  const [numerator, denominator] = index.video.timeBase
  return Math.round((pts * numerator * TICKS) / denominator - index.zero)
}

/** Frame times on the grid's timeline: the first is held from 0 where sound starts before it. */
export const frameTicks = (index: Pick<SourceIndex, "zero" | "video">) => {
  const { cappedTo, frames } = index.video
  const ticks = frames.map((pts) => ticksOf(index, pts))
  if (cappedTo !== null) {
    const step = TICKS / cappedTo
    return Array.from({ length: Math.round((ticks.at(-1) ?? 0) / step) + 1 }, (_, i) => i * step)
  }
  if (ticks.length > 0) ticks[0] = 0
  return ticks
}

export const timelineOf = (index: SourceIndex): Timeline => ({
  grid: index.grid,
  end: index.end,
  frames: frameTicks(index),
  keys: index.video.keys.map((pts) => ticksOf(index, pts)),
})

// As one object

/** Numbers that grow slowly are kept as differences: a third of the bytes. */
const differences = (column: ReadonlyArray<number | null>) => {
  let last = 0
  return column.map((value) => {
    if (value === null) return null
    const difference = value - last
    last = value
    return difference
  })
}
const sums = (column: ReadonlyArray<number | null>) => {
  let last = 0
  return column.map((difference) => {
    if (difference === null) return null
    last += difference
    return last
  })
}
const sumsOfAll = (column: ReadonlyArray<number>) => sums(column).map((value) => value ?? 0)

const transform = (
  index: SourceIndex,
  some: (column: ReadonlyArray<number | null>) => ReadonlyArray<number | null>,
  all: (column: ReadonlyArray<number>) => ReadonlyArray<number>,
): SourceIndex => {
  const { video, audio, moreAudio } = index
  const { packets } = video
  const placed = (track: SoundTrack) => ({ ...track, at: all(track.at) })
  return {
    ...index,
    units: all(index.units),
    video: {
      ...video,
      packets: { ...packets, pts: some(packets.pts), at: all(packets.at) },
      frames: all(video.frames),
      keys: all(video.keys),
    },
    audio: audio === null ? null : placed(audio),
    moreAudio: moreAudio.map(placed),
  }
}

export const packIndex = (index: SourceIndex, head: Uint8Array): Uint8Array => {
  const slim = transform(index, differences, (column) =>
    differences(column).map((value) => value ?? 0),
  )
  const facts = Bun.gzipSync(Buffer.from(JSON.stringify(slim)))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(facts.length)
  return Buffer.concat([length, facts, head])
}

const opened = new WeakMap<Uint8Array, OpenedIndex>()

/** Of bytes that `packIndex` made. The same bytes object is opened once. */
export const openIndex = (bytes: Uint8Array): OpenedIndex => {
  const known = opened.get(bytes)
  if (known !== undefined) return known
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const headAt = 4 + all.readUInt32BE(0)
  const text = Buffer.from(Bun.gunzipSync(Uint8Array.from(all.subarray(4, headAt)))).toString()
  const index = transform(JSON.parse(text), sums, sumsOfAll)
  const whole = { ...index, head: all.subarray(headAt) }
  opened.set(bytes, whole)
  return whole
}
