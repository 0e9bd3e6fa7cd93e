/**
 * From the encoder's frames to segments on the grid: a segment is the frames that begin in its
 * interval. The first frame is the encoder's priming: it lies before 0.
 */
import { type Segment, TICKS } from "#domain/transcode/facts.ts"
import { segmentAt } from "#domain/transcode/grid.ts"
import { framesIn, mp4a, SAMPLES_PER_SECOND } from "./adts.ts"
import { initOf, type Sample, segmentOf } from "./cmaf.ts"
import type { SegmentFile } from "./port.ts"

/** Samples of an AAC frame, and of its encoder's priming. */
const FRAME = 1024

interface Gathered {
  readonly k: number
  readonly samples: Array<Sample>
}

const ticksOf = (pts: number) => Math.round((pts * TICKS) / SAMPLES_PER_SECOND)

export const soundInit = (channels: number, bitsPerSecond: number): Buffer =>
  initOf({
    entry: mp4a(channels, bitsPerSecond),
    timescale: SAMPLES_PER_SECOND,
    delay: FRAME,
    size: null,
  })

export const soundSegments = (grid: ReadonlyArray<number>) => {
  let rest: Buffer = Buffer.alloc(0)
  let pts = -FRAME
  let current: Gathered | null = null
  const written: Array<Segment> = []

  const finish = ({ k, samples }: Gathered): SegmentFile => {
    const first = samples[0]?.pts ?? 0
    const end = (samples.at(-1)?.pts ?? 0) + FRAME
    // Times in the file begin with the priming, which the edit list takes off again.
    const moved = samples.map((sample) => ({ ...sample, pts: sample.pts + FRAME }))
    const data = segmentOf(k + 1, moved, end + FRAME, 0)
    const start = Math.max(0, ticksOf(first))
    const segment = { k, start, duration: ticksOf(end) - start, bytes: data.length }
    written.push(segment)
    return { ...segment, data }
  }

  const add = (data: Buffer, finished: Array<SegmentFile>) => {
    if (current !== null && segmentAt(grid, ticksOf(pts)) > current.k) {
      finished.push(finish(current))
      current = null
    }
    current ??= { k: written.length, samples: [] }
    current.samples.push({ pts, isKey: true, data })
    pts += FRAME
  }

  return {
    written: (): ReadonlyArray<Segment> => written,
    take: (bytes: Uint8Array): ReadonlyArray<SegmentFile> => {
      const all = Buffer.concat([rest, bytes])
      const finished: Array<SegmentFile> = []
      const { frames, used } = framesIn(all)
      for (const frame of frames) add(frame, finished)
      rest = Buffer.from(all.subarray(used))
      return finished
    },
    end: (): ReadonlyArray<SegmentFile> => {
      const last = current === null ? [] : [finish(current)]
      current = null
      return last
    },
  }
}
export type SoundSegments = ReturnType<typeof soundSegments>
