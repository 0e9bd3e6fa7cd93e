/**
 * Stage `Transcode`: a whole source in one task, one thing after the other, by the same stages that
 * others run side by side. Simple and slow: nothing can be watched before the end of it.
 */
import { Effect, Schema } from "effect"
import { Watermark } from "#domain/channel/watermark.ts"
import type { Piece } from "#domain/scheduling/events.ts"
import { Rung } from "#domain/transcode/facts.ts"
import { InputsUnreadable, type Stage, sortFailure, type Task } from "../stage.ts"
import { encodeAudio } from "./encode-audio.ts"
import { encodeVideo } from "./encode-video.ts"
import { inspect } from "./inspect.ts"
import { packageVideo } from "./package.ts"
import { split } from "./split.ts"

const Input = Schema.Struct({
  input: Schema.Struct({ url: Schema.String, byteLength: Schema.Int }),
  /** `maxHeight`: larger rungs are left out, but for the lowest. */
  config: Schema.Struct({ maxHeight: Schema.optionalKey(Schema.Int) }),
  watermark: Schema.optionalKey(Watermark),
})
const read = Schema.decodeUnknownEffect(Input, { onExcessProperty: "error" })
const readRungs = Schema.decodeUnknownEffect(Schema.Array(Rung))

const json = (value: unknown) => value as Schema.Json

/** The task as one of its parts sees it: what the part emits stays here. */
const partOf = (task: Task, emittedBefore: ReadonlyArray<Piece> = []) => {
  const emitted: Array<Piece> = []
  const emit = (pieces: ReadonlyArray<Piece>) => Effect.sync(() => void emitted.push(...pieces))
  const part: Task = { ...task, group: undefined, emit, emittedFor: () => emittedBefore }
  return { part, emitted }
}

const inputsOf = (inputs: Readonly<Record<string, Schema.Json>>) =>
  read(inputs).pipe(
    Effect.mapError(({ message }) => sortFailure(new InputsUnreadable({ issue: message }))),
  )

export const transcode: Stage = Effect.fn("stage.transcode")(function* (task, inputs) {
  const { config, watermark } = yield* inputsOf(inputs)
  const marked = watermark === undefined ? {} : { watermark: json(watermark) }
  const { maxHeight = Number.POSITIVE_INFINITY } = config

  const found = yield* inspect(partOf(task).part, marked)
  const { media, index } = found.outputs
  const ladder = yield* Effect.orDie(readRungs(found.outputs.rungs))
  const wanted = ladder.filter(({ height }, place) => place === 0 || height <= maxHeight)
  const rungs = json(wanted)
  const of = { index: json(index), rungs }

  const pieces = partOf(task)
  yield* split(pieces.part, of)
  const encoded = yield* Effect.forEach(pieces.emitted, (piece) =>
    encodeVideo(partOf(task).part, { ...of, ...marked, chunk: json(piece) }),
  )
  const sound = partOf(task)
  const heard = yield* encodeAudio(sound.part, { ...of, media: json(media) })
  const packaged = yield* packageVideo(partOf(task, sound.emitted).part, {
    ...{ ...of, media: json(media), audio: json(heard.outputs.audio) },
    video: encoded.map(({ outputs }) => json(outputs.segments)),
  })

  const done = [found, ...encoded, heard, packaged]
  return {
    outputs: {
      media: json(media),
      rungs,
      ...packaged.outputs,
      outputVideo: json(packaged.outputs.manifest),
    },
    cpuSeconds: done.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
})
