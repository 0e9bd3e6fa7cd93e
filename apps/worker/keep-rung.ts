/** The segments of a rung, written under its name: init segment and all. */
import { Effect } from "effect"
import { initSegment, segment } from "#domain/keys.ts"
import type { EncodedPiece, Segment } from "#domain/transcode/facts.ts"
import type { Encoded, SegmentFile } from "#infra/media/port.ts"
import { keep, keepMedia } from "./objects.ts"
import { HeaderDiffers, type Task } from "./stage.ts"

const MP4 = "video/mp4"
const PUTS_AT_ONCE = 4

const keepSegment = (task: Task, rung: string) =>
  Effect.fnUntraced(function* ({ k, start, duration, data }: SegmentFile) {
    const bytes = yield* keepMedia(segment(task.videoId, task.run, rung, k), data, MP4)
    return { k, start, duration, bytes } satisfies Segment
  })

export const keepRung = Effect.fnUntraced(function* (
  task: Task,
  { rung, init, segments, codecs }: Encoded["rungs"][number],
) {
  const header = yield* keep(initSegment(task.videoId, task.run, rung), init, MP4)
  if (Buffer.compare(header, init) !== 0) return yield* new HeaderDiffers({ rung })
  const kept: EncodedPiece["rungs"][number] = {
    rung,
    initBytes: header.length,
    ...(codecs !== undefined && { codecs }),
    segments: yield* Effect.forEach(segments, keepSegment(task, rung), {
      concurrency: PUTS_AT_ONCE,
    }),
  }
  return kept
})
