/** From what ffprobe told to the index and to the facts that everybody reads. Pure. */
import { type Media, TICKS } from "#domain/transcode/facts.ts"
import { fixedGrid, soundGrid, targetDurationOf } from "#domain/transcode/grid.ts"
import { labelsOf, textOf } from "./labels.ts"
import { endOf, type PacketColumns, packetColumns, type ShownFrames } from "./packet-index.ts"
import type { Row } from "./probe.ts"
import type { Demuxer } from "./sniff.ts"
import {
  frameTicks,
  HIDDEN,
  type PictureFacts,
  type SoundTrack,
  type SourceIndex,
  type TimeBase,
} from "./source-index.ts"
import { numberOf, shownSize, type Taken } from "./verdict.ts"

const fastest = 60
const moreThanFastest = 60.5

const noPackets = packetColumns(0)

export interface Described {
  readonly demuxer: Demuxer
  readonly byteLength: number
  readonly cut: SourceIndex["cut"]
  readonly units: ReadonlyArray<number>
  readonly taken: Taken
  readonly video: PacketColumns
  readonly audio: PacketColumns
  readonly moreAudio: ReadonlyArray<PacketColumns>
  readonly hasChapters: boolean
  readonly hasCaptions: boolean
  readonly shown: ShownFrames
  readonly picture: PictureFacts
  /** Something of it is missing or changed, as far as the index tells. */
  readonly isDamaged: boolean
}

const timeBaseOf = (row: Row): TimeBase => {
  const [numerator = 1, denominator = 1] = (row.get("time_base") ?? "1/1").split("/").map(Number)
  return [numerator, denominator]
}

const inTicks = ([numerator, denominator]: TimeBase, time: number) =>
  (time * numerator * TICKS) / denominator

/** Sound on the common timeline: its first packet that is heard, and where its last one ends. */
const soundOf = (row: Row | null, columns: PacketColumns) => {
  const { pts, flags } = columns.packets()
  const heard = pts.filter((_, i) => ((flags[i] ?? 0) & HIDDEN) === 0)
  const times = heard.filter((time) => time !== null)
  const last = times.at(-1)
  if (row === null || last === undefined) return null
  const timeBase = timeBaseOf(row)
  const first = times.reduce((earliest, time) => Math.min(earliest, time))
  return {
    row,
    columns,
    first: inTicks(timeBase, first),
    end: inTicks(timeBase, last + (columns.durations.at(-1) ?? 0)),
  }
}
type Sound = NonNullable<ReturnType<typeof soundOf>>

const trackOf = ({ row, columns, end }: Sound, zero: number): SoundTrack => {
  const { at, size } = columns.packets()
  return {
    stream: numberOf(row, "index"),
    channels: Math.max(1, numberOf(row, "channels")),
    ...{ at, size },
    endTicks: Math.round(end - zero),
    ...labelsOf(row),
  }
}

const rateOf = ({ frames }: ShownFrames, timeBase: TimeBase): number => {
  const span = inTicks(timeBase, (frames.at(-1) ?? 0) - (frames[0] ?? 0)) / TICKS
  return span > 0 ? (frames.length - 1) / span : 1
}

export const indexOf = (described: Described): SourceIndex => {
  const { taken, shown, demuxer, byteLength, cut, units, picture } = described
  const timeBase = timeBaseOf(taken.video)
  const sound = soundOf(taken.audio, described.audio)
  const more = taken.moreAudio.map((row, i) => soundOf(row, described.moreAudio[i] ?? noPackets))
  const firstFrame = inTicks(timeBase, shown.frames[0] ?? 0)
  const zero = Math.min(firstFrame, sound?.first ?? firstFrame)
  const end = Math.round(inTicks(timeBase, endOf(shown, timeBase)) - zero)
  const index = {
    demuxer,
    byteLength,
    cut,
    units,
    video: {
      stream: numberOf(taken.video, "index"),
      timeBase,
      ...shownSize(taken.video),
      cappedTo: rateOf(shown, timeBase) > moreThanFastest ? fastest : null,
      picture,
      packets: described.video.packets(),
      frames: shown.frames,
      keys: shown.keys,
    },
    audio: sound === null ? null : trackOf(sound, zero),
    moreAudio: more.filter((found) => found !== null).map((found) => trackOf(found, zero)),
    texts: taken.texts.map(textOf),
    hasChapters: described.hasChapters,
    hasCaptions: described.hasCaptions,
    zero,
  }
  return { ...index, grid: fixedGrid(frameTicks(index), end), end }
}

export const mediaOf = ({ taken, shown, isDamaged }: Described, index: SourceIndex): Media => {
  const { video, audio, grid, end } = index
  const bitsPerSecond = numberOf(taken.video, "bit_rate")
  const grids = soundGrid(grid, end, audio?.endTicks ?? end)
  return {
    demuxer: index.demuxer,
    video: {
      index: video.stream,
      codec: taken.video.get("codec_name") ?? "",
      width: video.width,
      height: video.height,
      framesPerSecond: video.cappedTo ?? Math.round(rateOf(shown, video.timeBase) * 1000) / 1000,
      bitsPerSecond: bitsPerSecond > 0 ? bitsPerSecond : null,
    },
    audio:
      audio === null || taken.audio === null
        ? null
        : {
            index: audio.stream,
            codec: taken.audio.get("codec_name") ?? "",
            channels: audio.channels,
            samplesPerSecond: numberOf(taken.audio, "sample_rate"),
          },
    durationTicks: end,
    targetDuration: targetDurationOf(grids, Math.max(end, audio?.endTicks ?? 0)),
    byteLength: index.byteLength,
    ...(isDamaged && { damaged: true }),
  }
}
