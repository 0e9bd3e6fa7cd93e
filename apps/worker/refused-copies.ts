/**
 * A copied rung whose bytes prove unfit goes on under another name, encoded. That is found out
 * piece by piece: the first to find it leaves a note, later pieces don't try, and the pieces that
 * were copied before are encoded when the video is packaged.
 */
import { Effect } from "effect"
import { temp } from "#domain/keys.ts"
import type { CopyRefusal, EncodedPiece, Rung } from "#domain/transcode/facts.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import { MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { keepRung } from "./keep-rung.ts"
import { json, keep, type ObjectRef } from "./objects.ts"
import { Scratch } from "./scratch.ts"
import { Sources } from "./source.ts"
import type { Task } from "./stage.ts"

const noteKey = ({ videoId, run }: Task) => temp(videoId, run, "copy-refused.json")

export const noteRefusal = (task: Task, refused: CopyRefusal) => keep(noteKey(task), json(refused))

/** The rungs as this piece makes them. */
export const stillCopied = Effect.fnUntraced(function* (task: Task, rungs: ReadonlyArray<Rung>) {
  if (rungs.every(({ copied }) => copied === undefined)) return rungs
  const objects = yield* ObjectStore
  const isRefused = yield* objects.head(noteKey(task)).pipe(
    Effect.as(true),
    Effect.catchTag("ObjectNotFound", () => Effect.succeed(false)),
  )
  return isRefused ? rungs.map(encodedInstead) : rungs
})

const has = (pieces: ReadonlyArray<EncodedPiece>, n: number, rung: string) =>
  pieces.some((piece) => piece.n === n && piece.rungs.some((it) => it.rung === rung))

/** The interval of a piece, as any of its rungs tells it. */
const intervalOf = (pieces: ReadonlyArray<EncodedPiece>, n: number) => {
  const [told] = pieces.filter((piece) => piece.n === n).flatMap(({ rungs }) => rungs)
  const last = told?.segments.at(-1)
  return { n, from: told?.segments[0]?.start ?? 0, to: (last?.start ?? 0) + (last?.duration ?? 0) }
}

interface Missing {
  readonly rung: Rung
  readonly n: number
}

/** One after the other, in the one directory of the task. */
const encodeMissing = Effect.fnUntraced(function* (
  task: Task,
  index: ObjectRef,
  pieces: ReadonlyArray<EncodedPiece>,
  missing: ReadonlyArray<Missing>,
) {
  const media = yield* MediaTools
  const objects = yield* ObjectStore
  const source = yield* (yield* Sources).of(task.videoId)
  const directory = yield* (yield* Scratch).directory(task.key)
  const bytes = yield* objects.get(index.key)
  return yield* Effect.forEach(missing, ({ rung, n }) =>
    Effect.gen(function* () {
      const piece = intervalOf(pieces, n)
      const job = { source, piece, rungs: [rung], directory, index: bytes }
      const encoded = yield* media.encode(job)
      const rungs = yield* Effect.forEach(encoded.rungs, (made) => keepRung(task, made))
      const added: EncodedPiece = { n, rungs }
      return { piece: added, cpuSeconds: encoded.cpuSeconds }
    }),
  )
})

/** The ladder and its pieces as they are offered: copied everywhere, or encoded everywhere. */
export const settled = Effect.fnUntraced(function* (
  task: Task,
  rungs: ReadonlyArray<Rung>,
  pieces: ReadonlyArray<EncodedPiece>,
  /** A pipeline of a channel's own may not give it: a refused rung is then left out. */
  index: ObjectRef | undefined,
) {
  const numbers = [...new Set(pieces.map(({ n }) => n))]
  const isRefused = ({ copied, name }: Rung) =>
    copied !== undefined && numbers.some((n) => !has(pieces, n, name))
  const refused = rungs.filter(isRefused)
  if (refused.length === 0) return { rungs, pieces, cpuSeconds: 0 }
  const offered = rungs.map((rung) => (isRefused(rung) ? encodedInstead(rung) : rung))
  if (index === undefined) {
    const left = rungs.filter((rung) => !isRefused(rung))
    return { rungs: left, pieces, cpuSeconds: 0 }
  }
  const missing = refused
    .map(encodedInstead)
    .flatMap((rung) => numbers.filter((n) => !has(pieces, n, rung.name)).map((n) => ({ rung, n })))
  const added = yield* encodeMissing(task, index, pieces, missing)
  return {
    rungs: offered,
    pieces: [...pieces, ...added.map(({ piece }) => piece)],
    cpuSeconds: added.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
})
