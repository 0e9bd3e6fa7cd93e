/**
 * Stage `EncodeAudio`: the sound of the whole source in one pass. It tells of each segment while
 * the encoder runs, so that the first seconds can be heard before the last have arrived. A piece
 * is one segment, whatever batches they come in: a second try tells the same pieces.
 */
import { Effect, Schema } from "effect"
import { initSegment, segment } from "#domain/keys.ts"
import type { Piece } from "#domain/scheduling/events.ts"
import type { AudioPiece } from "#domain/transcode/facts.ts"
import { type AudioBatch, MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keep, keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { HeaderDiffers, type Reason, stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ index: ObjectRef })

const RENDITION = "audio"
const MP4 = "audio/mp4"

export const encodeAudio = stage(
  Input,
  Effect.fn("stage.encodeAudio")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    let told = 0
    let header: Uint8Array | undefined
    const emit = Effect.fnUntraced(function* ({ init, segments }: AudioBatch) {
      header ??= yield* keep(initSegment(task.videoId, task.run, RENDITION), init, MP4)
      if (Buffer.compare(header, init) !== 0) return yield* new HeaderDiffers({ rung: RENDITION })
      const pieces: Array<Piece> = []
      for (const { k, start, duration, data } of segments) {
        const bytes = yield* keepMedia(segment(task.videoId, task.run, RENDITION, k), data, MP4)
        const facts: AudioPiece = { segments: [{ k, start, duration, bytes }] }
        pieces.push({ n: told + pieces.length, facts })
      }
      told += pieces.length
      yield* task.emit(pieces)
    })

    const { audio, ...spent } = yield* media.encodeAudio<Reason>({
      source,
      index: yield* objects.get(index.key),
      directory,
      emit: (batch) => Effect.provideService(emit(batch), ObjectStore, objects),
    })
    return { outputs: { audio, work: workOf(spent) }, cpuSeconds: spent.cpuSeconds }
  }),
)
