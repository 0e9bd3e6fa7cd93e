/** Stage `EncodeVideo`: one piece of the source in, its segments out, of one rung or of the whole ladder. */
import { Effect, Schema } from "effect"
import { initSegment, segment } from "#domain/keys.ts"
import { Piece } from "#domain/scheduling/events.ts"
import { type EncodedPiece, Rung, type Segment } from "#domain/transcode/facts.ts"
import { type Encoded, MediaTools, type SegmentFile } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keep, keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { HeaderDiffers, stage, type Task } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ chunk: Piece, rungs: Schema.Array(Rung), index: ObjectRef })

const MP4 = "video/mp4"
const PUTS_AT_ONCE = 4

const keepSegment = (task: Task, rung: string) =>
  Effect.fnUntraced(function* ({ k, start, duration, data }: SegmentFile) {
    const bytes = yield* keepMedia(segment(task.videoId, task.run, rung, k), data, MP4)
    return { k, start, duration, bytes } satisfies Segment
  })

const keepRung = Effect.fnUntraced(function* (
  task: Task,
  { rung, init, segments }: Encoded["rungs"][number],
) {
  const header = yield* keep(initSegment(task.videoId, task.run, rung), init, MP4)
  if (Buffer.compare(header, init) !== 0) return yield* new HeaderDiffers({ rung })
  return {
    rung,
    initBytes: header.length,
    segments: yield* Effect.forEach(segments, keepSegment(task, rung), {
      concurrency: PUTS_AT_ONCE,
    }),
  }
})

export const encodeVideo = stage(
  Input,
  Effect.fn("stage.encodeVideo")(function* (task, { chunk, rungs, index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const encoded = yield* media.encode({
      source,
      index: yield* objects.get(index.key),
      piece: chunk,
      rungs: rungs.filter(({ group }) => task.group === "all" || task.group === group),
      directory,
    })
    const kept = yield* Effect.forEach(encoded.rungs, (rung) => keepRung(task, rung))
    const segments: EncodedPiece = {
      n: chunk.n,
      rungs: kept,
      ...(encoded.isDamaged && { damaged: true }),
    }
    return { outputs: { segments, work: workOf(encoded) }, cpuSeconds: encoded.cpuSeconds }
  }),
)
