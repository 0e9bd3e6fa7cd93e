/**
 * Stage `EncodeAudio`: the sound of the whole source in one pass, all its renditions. It tells of
 * each segment while the encoder runs, so that the first seconds can be heard before the last have
 * arrived. A piece is one segment, whatever batches they come in: a second try tells the same pieces.
 */
import { Effect, Schema } from "effect"
import { initSegment, segment } from "#domain/keys.ts"
import type { Piece } from "#domain/scheduling/events.ts"
import { type AudioPiece, DEFAULT_SOUND, PIECES_PER_SOUND } from "#domain/transcode/facts.ts"
import { type AudioBatch, MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keep, keepMedia, ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { HeaderDiffers, type Reason, stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({ index: ObjectRef })

const MP4 = "audio/mp4"

export const encodeAudio = stage(
  Input,
  Effect.fn("stage.encodeAudio")(function* (task, { index }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const told = new Map<string, number>()
    const headers = new Map<string, Uint8Array>()
    const emit = Effect.fnUntraced(function* ({ rendition, place, init, segments }: AudioBatch) {
      const header =
        headers.get(rendition) ??
        (yield* keep(initSegment(task.videoId, task.run, rendition), init, MP4))
      headers.set(rendition, header)
      if (Buffer.compare(header, init) !== 0) return yield* new HeaderDiffers({ rung: rendition })
      const before = told.get(rendition) ?? 0
      const pieces: Array<Piece> = []
      for (const { k, start, duration, data } of segments) {
        const bytes = yield* keepMedia(segment(task.videoId, task.run, rendition, k), data, MP4)
        const facts: AudioPiece = {
          ...(rendition !== DEFAULT_SOUND && { rendition }),
          segments: [{ k, start, duration, bytes }],
        }
        pieces.push({ n: place * PIECES_PER_SOUND + before + pieces.length, facts })
      }
      told.set(rendition, before + pieces.length)
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
