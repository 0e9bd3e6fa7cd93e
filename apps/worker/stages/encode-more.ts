/** Stage `EncodeMore`: one piece of the source in, its segments out, of all rungs in another codec than H.264. */
import { Effect, Schema } from "effect"
import { Watermark } from "#domain/channel/watermark.ts"
import { Piece } from "#domain/scheduling/events.ts"
import { publishedRungs, rungsIn } from "#domain/transcode/codecs.ts"
import { Codec, type EncodedPiece, Media, Packaged, Rung } from "#domain/transcode/facts.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepRung } from "../keep-rung.ts"
import { markOf } from "../mark-of.ts"
import { ObjectRef } from "../objects.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({
  chunk: Piece,
  media: Media,
  rungs: Schema.Array(Rung),
  index: ObjectRef,
  manifest: Packaged,
  codec: Codec,
  maxHeight: Schema.optionalKey(Schema.Int),
  watermark: Schema.optionalKey(Watermark),
})

export const encodeMore = stage(
  Input,
  Effect.fn("stage.encodeMore")(function* (task, input) {
    const { chunk, media, rungs, index, manifest, codec, maxHeight, watermark } = input
    const objects = yield* ObjectStore
    const tools = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const { framesPerSecond } = media.video
    const encoded = yield* tools.encode({
      source,
      index: yield* objects.get(index.key),
      piece: chunk,
      rungs: rungsIn(codec, publishedRungs(rungs, manifest), framesPerSecond, maxHeight),
      directory: yield* (yield* Scratch).directory(task.key),
      ...(watermark !== undefined && { mark: yield* markOf(watermark, rungs) }),
    })
    const segments: EncodedPiece = {
      n: chunk.n,
      rungs: yield* Effect.forEach(encoded.rungs, (rung) => keepRung(task, rung)),
      ...(encoded.isDamaged && { damaged: true }),
    }
    return { outputs: { segments, work: workOf(encoded) }, cpuSeconds: encoded.cpuSeconds }
  }),
)
