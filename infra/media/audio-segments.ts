/**
 * From the encoder's stream of fragments, one AAC frame each, to segments on the grid: a segment is
 * the frames that begin in its interval. The first frame is the encoder's priming: it lies before 0.
 */
import { type Segment, TICKS } from "#domain/transcode/facts.ts"
import { segmentAt } from "#domain/transcode/grid.ts"
import { initOf, type Sample, segmentOf } from "./cmaf.ts"
import { samplesOf, trackOf } from "./fragments.ts"
import { boxesIn } from "./mp4-boxes.ts"
import type { SegmentFile } from "./port.ts"

/** Samples of an AAC frame, and of its encoder's priming. */
export const FRAME = 1024

interface Gathered {
  readonly k: number
  readonly samples: Array<Sample>
}

export const soundSegments = (grid: ReadonlyArray<number>) => {
  let rest: Buffer = Buffer.alloc(0)
  let init: Buffer | null = null
  let timescale = 48_000
  let origin: number | null = null
  let current: Gathered | null = null
  const written: Array<Segment> = []

  const ticksOf = (pts: number) => Math.round((pts * TICKS) / timescale)

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

  const add = (sample: Sample, finished: Array<SegmentFile>) => {
    // The encoder's times may begin anywhere; its first frame is the priming.
    origin ??= sample.pts + FRAME
    const pts = sample.pts - origin
    const k = segmentAt(grid, ticksOf(pts))
    if (current !== null && k > current.k) {
      finished.push(finish(current))
      current = null
    }
    current ??= { k: written.length, samples: [] }
    current.samples.push({ ...sample, pts, data: Buffer.from(sample.data) })
  }

  return {
    /** The init segment, once its bytes have come. */
    init: () => init,
    written: (): ReadonlyArray<Segment> => written,
    take: (bytes: Uint8Array): ReadonlyArray<SegmentFile> => {
      rest = Buffer.concat([rest, bytes])
      const finished: Array<SegmentFile> = []
      const boxes = [...boxesIn(rest)]
      let used = 0
      for (const [i, box] of boxes.entries()) {
        if (box.type === "moov") {
          const track = trackOf(rest.subarray(0, box.end))
          timescale = track?.timescale ?? timescale
          const entry = Buffer.from(track?.entry ?? [])
          init = initOf({ entry, timescale, delay: FRAME, size: null })
        }
        if (box.type === "moof") {
          const body = boxes[i + 1]
          if (body === undefined) break
          for (const sample of samplesOf(rest, box, 0)) add(sample, finished)
        }
        used = box.end
      }
      rest = Buffer.from(rest.subarray(used))
      return finished
    },
    end: (): ReadonlyArray<SegmentFile> => (current === null ? [] : [finish(current)]),
  }
}
