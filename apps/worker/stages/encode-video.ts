/** Stage `EncodeVideo`: one piece of the source in, its segments out, of one rung or of the whole ladder. */
import { Effect, Option, Schema } from "effect"
import { Watermark } from "#domain/channel/watermark.ts"
import { Piece } from "#domain/scheduling/events.ts"
import { makes } from "#domain/transcode/chunks.ts"
import { EncodedPiece, Rung } from "#domain/transcode/facts.ts"
import { offered, TELLING_SEGMENTS } from "#domain/transcode/ladder.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepRung } from "../keep-rung.ts"
import { markOf } from "../mark-of.ts"
import { ObjectRef } from "../objects.ts"
import { noteRefusal, stillCopied } from "../refused-copies.ts"
import { Scratch } from "../scratch.ts"
import { Sources } from "../source.ts"
import { stage, type Task } from "../stage.ts"
import { workOf } from "../work.ts"

const Input = Schema.Struct({
  chunk: Piece,
  rungs: Schema.Array(Rung),
  index: ObjectRef,
  watermark: Schema.optionalKey(Watermark),
})

const readPiece = Schema.decodeUnknownOption(EncodedPiece)

/** Rungs that turned out too near to another are left out once the first pieces have told so. */
const worthEncoding = (task: Task, rungs: ReadonlyArray<Rung>) => {
  if (task.n === undefined || task.n < TELLING_SEGMENTS) return rungs
  const first = [0, 1].flatMap(task.toldOf).flatMap(({ segments }) => {
    const piece = readPiece(segments)
    return Option.isSome(piece) ? piece.value.rungs : []
  })
  const segmentsOf = (name: string) =>
    first.filter(({ rung }) => rung === name).flatMap(({ segments }) => segments)
  return offered(rungs, segmentsOf) ?? rungs
}

export const encodeVideo = stage(
  Input,
  Effect.fn("stage.encodeVideo")(function* (task, { chunk, rungs, index, watermark }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)
    const directory = yield* (yield* Scratch).directory(task.key)

    const own = rungs.filter(({ group }) => makes(task.group, chunk, group))
    const wanted = yield* stillCopied(task, own)
    const encoded = yield* media.encode({
      source,
      index: yield* objects.get(index.key),
      piece: chunk,
      rungs: worthEncoding(task, wanted),
      directory,
      isHurried: task.isHurried,
      ...(watermark !== undefined && { mark: yield* markOf(watermark, rungs) }),
    })
    const { refused } = encoded
    if (refused !== undefined) yield* noteRefusal(task, refused)
    const kept = yield* Effect.forEach(encoded.rungs, (rung) => keepRung(task, rung))
    const segments: EncodedPiece = {
      n: chunk.n,
      rungs: kept,
      ...(encoded.isDamaged && { damaged: true }),
    }
    return {
      outputs: {
        segments,
        work: { ...workOf(encoded), ...(task.isHurried && { isHurried: true }) },
        ...(refused !== undefined && { refused }),
      },
      cpuSeconds: encoded.cpuSeconds,
    }
  }),
)
