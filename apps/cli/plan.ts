/**
 * `reelog plan`: what the platform would do with a file, without doing it: the graph and the stages
 * of the built-in pipeline or of another one, the pieces of its grid, the rungs it deserves, and
 * what all that is expected to cost. The file is looked at here, by the same code and in the same
 * sandbox as a worker would.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Effect, Result } from "effect"
import { parse } from "yaml"
import { planOf, treeOf } from "#domain/transcode/channel-pipeline.ts"
import { cpuSecondsOf, expectedTasks } from "#domain/transcode/cost.ts"
import { type Rung, TICKS } from "#domain/transcode/facts.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import { type MediaFailure, MediaTools, type PlannedPiece, type Source } from "#infra/media/port.ts"
import { stagesOf, tasksOf } from "./plan-stages.ts"
import { problem } from "./problem.ts"
import { Screen, table } from "./screen.ts"

const builtIn = new URL("../../domain/transcode/default.yaml", import.meta.url)

const localSource = (path: string, byteLength: number): Source<never> => {
  const file = Bun.file(path)
  return {
    byteLength,
    read: ({ from, to }) =>
      Effect.promise(async () => new Uint8Array(await file.slice(from, to).arrayBuffer())),
    whole: Effect.succeed(path),
  }
}

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reelog-plan-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true })),
)

const sortFailure = (failure: MediaFailure) =>
  failure._tag === "SourceRefused"
    ? problem(failure.code, "The file can't be made into a video")
    : problem("media_tools_failed", "The media programs failed", { failure: failure._tag })

const shownRung = ({ name, group, width, height, maxBitsPerSecond, codecs }: Rung) => ({
  ...{ name, group, width, height, maxBitsPerSecond, codecs },
})

const shownPiece = ({ piece, ranges }: PlannedPiece) => ({
  n: piece.n,
  fromSeconds: piece.from / TICKS,
  toSeconds: piece.to / TICKS,
  frames: piece.frames,
  groups: [...piece.groups],
  sourceBytes: ranges?.reduce((sum, { from, to }) => sum + to - from, 0) ?? null,
})

/** Of the file that is named, else the built-in one. */
const pipelineIn = Effect.fnUntraced(function* (file: string | undefined) {
  const screen = yield* Screen
  const text = Result.try(() => readFileSync(file === undefined ? builtIn : resolve(file), "utf8"))
  if (Result.isFailure(text)) {
    return yield* problem("file_not_found", `The file ${file} can't be read`)
  }
  const found = Result.flatMap(
    treeOf(text.success, (yaml) => parse(yaml, { logLevel: "error" })),
    (tree) => planOf(tree, builtInTypes),
  )
  if (Result.isSuccess(found)) return found.success
  yield* Effect.forEach(found.failure, (mistake) => screen.say(mistake))
  return yield* problem("pipeline_mistaken", "The pipeline has mistakes", {
    mistakes: found.failure,
  })
})

export const plan = Effect.fn("plan")(function* (given: string, pipelineFile?: string) {
  const screen = yield* Screen
  const tools = yield* MediaTools
  const path = resolve(given)
  const found = Result.getOrElse(
    Result.try(() => statSync(path)),
    () => undefined,
  )
  if (!found?.isFile()) return yield* problem("file_not_found", `There is no file ${path}`)
  const { pipeline, steps } = yield* pipelineIn(pipelineFile)

  const { media, rungs, index } = yield* tools
    .inspect(localSource(path, found.size), yield* scratch)
    .pipe(Effect.mapError(sortFailure))
  const pieces = yield* tools.split(index, rungs)
  const expected = expectedTasks(steps, { media, rungs, pieces: pieces.map(({ piece }) => piece) })
  const stages = stagesOf(steps)
  const tasks = tasksOf(steps, expected)
  const cpuSeconds = Math.round(cpuSecondsOf(expected) * 100) / 100

  yield* screen.result(
    {
      pipeline,
      stages,
      tasks: tasks.map((task) => ({ ...task })),
      taskCount: expected.length,
      expectedCpuSeconds: cpuSeconds,
      media,
      rungs: rungs.map(shownRung),
      pieces: pieces.map(shownPiece),
    },
    `pipeline ${pipeline}: ${expected.length} tasks, about ${cpuSeconds.toFixed(1)} s of CPU`,
    ...table(
      tasks.map(({ name, type, count, cpuSeconds: own, after }) => [
        `  ${name}`,
        type,
        count === 1 ? "1 task" : `${count} tasks`,
        `${own.toFixed(1)} s`,
        after.length === 0 ? "" : `after ${after.join(", ")}`,
      ]),
    ),
    `stages: ${stages.length}`,
    ...table(stages.map((names, place) => [`  ${place + 1}`, names.join(" | ")])),
    `rungs: ${rungs.length}`,
    ...table(
      rungs.map(({ name, group, width, height, maxBitsPerSecond, copied }) => [
        `  ${group}`,
        name,
        `${width}x${height}`,
        `${Math.round(maxBitsPerSecond / 1000)} kbit/s`,
        copied === undefined ? "" : "copied from the source",
      ]),
    ),
    `pieces: ${pieces.length}`,
    ...table(
      pieces
        .map(shownPiece)
        .map(({ n, fromSeconds, toSeconds, frames, groups }) => [
          `  ${n}`,
          `${fromSeconds.toFixed(3)} s`,
          `${toSeconds.toFixed(3)} s`,
          `${frames} frames`,
          groups.join(" "),
        ]),
    ),
  )
}, Effect.scoped)
