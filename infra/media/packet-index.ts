/** From ffprobe's rows of packets and frames to columns: order of bytes, order of showing, times. */

import type { Row } from "./probe.ts"
import { HIDDEN, KEY, type Packets, type TimeBase } from "./source-index.ts"

const integer = (row: Row, key: string): number | null => {
  const text = row.get(key)
  return text === undefined || text === "N/A" ? null : Number(text)
}

export const packetEntries = "packet=stream_index,pts,dts,duration,size,pos,flags"
export const frameEntries = "frame=best_effort_timestamp,key_frame,color_transfer,interlaced_frame"

/** Collects the packets of one stream; those past the end of the file are lost. */
export const packetColumns = (byteLength: number) => {
  const pts: Array<number | null> = []
  const size: Array<number> = []
  const at: Array<number> = []
  const flags: Array<number> = []
  const durations: Array<number> = []
  let lost = 0
  return {
    add: (row: Row) => {
      const text = row.get("flags") ?? ""
      const place = integer(row, "pos") ?? -1
      const length = integer(row, "size") ?? 0
      if (place + length > byteLength) {
        lost += 1
        return
      }
      pts.push(integer(row, "pts"))
      size.push(length)
      at.push(place)
      durations.push(integer(row, "duration") ?? 0)
      flags.push((text.includes("K") ? KEY : 0) | (text.includes("D") ? HIDDEN : 0))
    },
    packets: (): Packets => ({ pts, size, at, flags }),
    durations,
    lost: () => lost,
  }
}
export type PacketColumns = ReturnType<typeof packetColumns>

export interface ShownFrames {
  readonly frames: ReadonlyArray<number>
  readonly keys: ReadonlyArray<number>
  /** Of the last frame, in the time base; 0: nothing says. */
  readonly lastDuration: number
}

const ascending = (a: number, b: number) => a - b

/**
 * The frames as the packets tell them, or `null` where they do not: a packet without a time, two at
 * one time, a stream that begins before its first key frame.
 */
export const framesOfPackets = (columns: PacketColumns): ShownFrames | null => {
  const { pts, flags } = columns.packets()
  const shown = pts.filter((_, i) => ((flags[i] ?? 0) & HIDDEN) === 0)
  if (shown.length === 0 || shown.includes(null) || ((flags[0] ?? 0) & KEY) === 0) return null
  const known = (times: ReadonlyArray<number | null>) =>
    times.filter((time) => time !== null).sort(ascending)
  const frames = known(shown)
  if (frames.some((time, i) => time === frames[i + 1])) return null
  const last = frames.at(-1)
  return {
    frames,
    keys: known(pts.filter((_, i) => ((flags[i] ?? 0) & KEY) !== 0)),
    lastDuration: columns.durations[pts.indexOf(last ?? null)] ?? 0,
  }
}

/** Collects decoded frames: the truth where packets tell less. */
export const frameColumns = () => {
  const frames: Array<number> = []
  const keys: Array<number> = []
  let transfer: string | undefined
  let isInterlaced = false
  return {
    add: (row: Row) => {
      // The last frames of a container without times have none: they follow at the last distance.
      const last = frames.at(-1)
      const next = last === undefined ? 0 : 2 * last - (frames.at(-2) ?? last - 1)
      const time = integer(row, "best_effort_timestamp") ?? next
      frames.push(time)
      if (row.get("key_frame") === "1") keys.push(time)
      transfer ??= row.get("color_transfer")
      isInterlaced ||= row.get("interlaced_frame") === "1"
    },
    count: () => frames.length,
    picture: () => ({
      isHdr: transfer === "smpte2084" || transfer === "arib-std-b67",
      isInterlaced,
    }),
    shown: (): ShownFrames => ({
      frames: [...new Set(frames)].sort(ascending),
      keys: [...new Set(keys)].sort(ascending),
      lastDuration: 0,
    }),
  }
}

const longestLastFrame = 5
const gapWithoutAny = 0.04

/** When the last frame ends, in the time base: its own duration, else the last gap. */
export const endOf = ({ frames, lastDuration }: ShownFrames, timeBase: TimeBase): number => {
  const [numerator, denominator] = timeBase
  const perSecond = denominator / numerator
  const last = frames.at(-1) ?? 0
  const gap = last - (frames.at(-2) ?? last)
  const own = lastDuration > 0 ? lastDuration : gap
  const duration = own > 0 ? own : gapWithoutAny * perSecond
  return last + Math.min(duration, longestLastFrame * perSecond)
}
