/**
 * `reelog plan`: what the platform would do with a file, without doing it: the stages of the
 * built-in pipeline, the pieces of its grid and the rungs it deserves. The file is looked at here,
 * by the same code and in the same sandbox as a worker would.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Effect, Result } from "effect"
import { parse } from "yaml"
import type { Step } from "#domain/scheduling/events.ts"
import { type Rung, TICKS } from "#domain/transcode/facts.ts"
import { readPipeline, stepsOf } from "#domain/transcode/pipeline.ts"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import { type MediaFailure, MediaTools, type PlannedPiece, type Source } from "#infra/media/port.ts"
import { problem } from "./problem.ts"
import { Screen, table } from "./screen.ts"

const pipelineFile = new URL("../../domain/transcode/default.yaml", import.meta.url)

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

/** A task with its edges: the groups of one task are one task to a reader. */
interface Stage {
  readonly name: string
  readonly after: ReadonlyArray<string>
}

const taskOf = (step: string) => step.split(":")[0] ?? step

const tasksOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Stage> => {
  const after = new Map<string, Set<string>>()
  for (const step of steps) {
    const known = after.get(taskOf(step.name)) ?? new Set()
    for (const name of step.after) known.add(taskOf(name))
    after.set(taskOf(step.name), known)
  }
  return [...after].map(([name, before]) => ({ name, after: [...before] }))
}

/** Each task in the first stage in which all it needs is done. */
export const stagesOf = (steps: ReadonlyArray<Step>): ReadonlyArray<ReadonlyArray<string>> => {
  const stages: Array<ReadonlyArray<string>> = []
  const done = new Set<string>()
  let left = tasksOf(steps)
  while (left.length > 0) {
    const ready = left.filter(({ after }) => after.every((name) => done.has(name)))
    if (ready.length === 0) return stages
    stages.push(ready.map(({ name }) => name))
    for (const { name } of ready) done.add(name)
    left = left.filter(({ name }) => !done.has(name))
  }
  return stages
}

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

const encodesOf = (pieces: ReadonlyArray<PlannedPiece>) =>
  pieces.reduce((sum, { piece }) => sum + piece.groups.length, 0)

export const plan = Effect.fn("plan")(function* (given: string) {
  const screen = yield* Screen
  const tools = yield* MediaTools
  const path = resolve(given)
  const found = Result.getOrElse(
    Result.try(() => statSync(path)),
    () => undefined,
  )
  if (!found?.isFile()) return yield* problem("file_not_found", `There is no file ${path}`)
  const pipeline = yield* Effect.fromResult(
    readPipeline(parse(readFileSync(pipelineFile, "utf8"))),
  ).pipe(Effect.mapError(() => problem("pipeline_malformed", "The pipeline can't be read")))
  const steps = stepsOf(pipeline, builtInTypes)

  const { media, rungs, index } = yield* tools
    .inspect(localSource(path, found.size), yield* scratch)
    .pipe(Effect.mapError(sortFailure))
  const pieces = yield* tools.split(index, rungs)
  const stages = stagesOf(steps)
  const tasks = tasksOf(steps)
  const taskCount = tasks.length - 1 + encodesOf(pieces)

  yield* screen.result(
    {
      pipeline: pipeline.pipeline,
      stages,
      tasks: tasks.map(({ name, after }) => ({ name, after })),
      taskCount,
      media,
      rungs: rungs.map(shownRung),
      pieces: pieces.map(shownPiece),
    },
    `pipeline ${pipeline.pipeline}: ${taskCount} tasks`,
    ...table(
      stages.map((names, place) => [
        `  stage ${place + 1}`,
        names
          .map((name) => {
            const after = tasks.find((task) => task.name === name)?.after ?? []
            return after.length === 0 ? name : `${name} (after ${after.join(", ")})`
          })
          .join(" | "),
      ]),
    ),
    `rungs: ${rungs.length}`,
    ...table(
      rungs.map(({ name, group, width, height, maxBitsPerSecond }) => [
        `  ${group}`,
        name,
        `${width}x${height}`,
        `${Math.round(maxBitsPerSecond / 1000)} kbit/s`,
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
