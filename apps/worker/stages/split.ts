/**
 * Stage `Split`: cuts nothing. It names the pieces of the source and tells of each as soon as the
 * bytes that it needs have arrived, so that encoding begins while the upload goes on.
 */
import { Effect, Schema } from "effect"
import { temp } from "#domain/keys.ts"
import { Rung } from "#domain/transcode/facts.ts"
import { MediaTools, type PlannedPiece } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { json, keep, ObjectRef } from "../objects.ts"
import { Sources } from "../source.ts"
import { stage } from "../stage.ts"

const Input = Schema.Struct({ index: ObjectRef, rungs: Schema.Array(Rung) })

/** Pieces in one event: far below the store's 1 MiB. */
const TOLD_AT_ONCE = 500
const PUTS_AT_ONCE = 8

export const split = stage(
  Input,
  Effect.fn("stage.split")(function* (task, { index, rungs }) {
    const objects = yield* ObjectStore
    const media = yield* MediaTools
    const source = yield* (yield* Sources).of(task.videoId)

    const planned = yield* media.split(yield* objects.get(index.key), rungs)
    const tell = Effect.fnUntraced(function* (news: ReadonlyArray<PlannedPiece>) {
      const keepRanges = ({ piece, ranges }: PlannedPiece) =>
        keep(temp(task.videoId, task.run, `split/${piece.n}.json`), json({ ranges }))
      yield* Effect.forEach(news, keepRanges, { concurrency: PUTS_AT_ONCE, discard: true })
      yield* task.emit(news.map(({ piece }) => piece))
    })

    const here = planned.filter(({ ranges }) => source.hasArrived(ranges))
    for (let at = 0; at < here.length; at += TOLD_AT_ONCE) {
      yield* tell(here.slice(at, at + TOLD_AT_ONCE))
    }
    yield* Effect.forEach(
      planned.filter((piece) => !here.includes(piece)),
      (piece) => Effect.andThen(source.arrival(piece.ranges), tell([piece])),
      { concurrency: "unbounded", discard: true },
    )
    return { outputs: {}, cpuSeconds: 0 }
  }),
)
