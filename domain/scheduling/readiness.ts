/**
 * Which tasks of a transcode are due: derived from what has succeeded, never written down. Pure
 * questions; `evolve.ts` asks them only of what a change can have reached.
 */
import type { Step } from "./events.ts"
import { FIRST_PIECES, type Pieces, type Transcode, taskIdOf } from "./queues.ts"

const noPieces: Pieces = new Map()

export const piecesOf = (transcode: Transcode, step: Step): Pieces =>
  transcode.pieces.get(step.each ?? step.name) ?? noPieces

/** A piece that names no groups is for all of them. */
export const takes = ({ group }: Step, groups: ReadonlyArray<string> | undefined) =>
  group === undefined || groups === undefined || groups.includes(group)

/** A mapped step is done when no more pieces can come and each that it takes is done. */
export const isStepDone = (transcode: Transcode, { name, each }: Step) =>
  each === undefined
    ? transcode.done.get(name) === 1
    : transcode.done.get(each) === 1 &&
      (transcode.done.get(name) ?? 0) === (transcode.taken.get(name) ?? 0)

const isPieceDone = (transcode: Transcode, step: Step, piece: number) =>
  transcode.tasks.get(taskIdOf(transcode.id, step.name, piece))?.state === "done"

/** Every step but the later ones, for which nobody waits; of a complete transcode these too. */
export const isWhole = (transcode: Transcode) =>
  transcode.steps.every(
    (step) => (step.later === true && !transcode.isComplete) || isStepDone(transcode, step),
  )

/** Whether the task of this step (for this piece) may run. */
export const isReady = (transcode: Transcode, step: Step, piece?: number) => {
  if (step.later === true && !transcode.isComplete) return false
  const pieces = piecesOf(transcode, step)
  if (piece !== undefined && !(pieces.has(piece) && takes(step, pieces.get(piece)))) return false
  return step.after.every((name) => {
    const before = transcode.steps.find((other) => other.name === name)
    if (before === undefined || name === step.each) return true // the piece itself is enough
    if (piece === undefined || before.each !== step.each) return isStepDone(transcode, before)
    return !takes(before, pieces.get(piece)) || isPieceDone(transcode, before, piece)
  })
}

/** Steps of one task definition: its rung groups. */
const areSiblings = (one: Step, other: Step) =>
  one.name === other.name ||
  (one.group !== undefined &&
    other.group !== undefined &&
    one.each === other.each &&
    one.type === other.type)

/** Encoded by the group that is watched first or, where the piece is not for it, by any other. */
const canBeSeen = (transcode: Transcode, step: Step, piece: number) => {
  const pieces = piecesOf(transcode, step)
  if (!pieces.has(piece)) return transcode.done.get(step.each ?? step.name) === 1
  if (step.each === undefined) return true
  const taking = transcode.steps.filter(
    (other) => areSiblings(step, other) && takes(other, pieces.get(piece)),
  )
  return taking.some((other) => other.name === step.name)
    ? isPieceDone(transcode, step, piece)
    : taking.length === 0 || taking.some((other) => isPieceDone(transcode, other, piece))
}

/** The first seconds can be watched: each step on their way has done its first pieces. Where none is on their way, all is done. */
export const isPlayable = (transcode: Transcode) => {
  const first = transcode.steps.filter((step) => step.first === true)
  if (first.length === 0) return isWhole(transcode)
  return first.every(
    (step) =>
      (step.each === undefined && isStepDone(transcode, step)) ||
      Array.from({ length: FIRST_PIECES }, (_, piece) => piece).every((piece) =>
        canBeSeen(transcode, step, piece),
      ),
  )
}

/** The steps left when only these groups exist; the first seconds pass to the next group. */
export const keepGroups = (
  steps: ReadonlyArray<Step>,
  groups: ReadonlyArray<string>,
): ReadonlyArray<Step> => {
  const exists = ({ group }: Step) => group === undefined || groups.includes(group)
  const kept = steps.filter(exists)
  const orphaned = steps.filter((step) => step.first === true && !exists(step))
  const heirs = orphaned.map((lost) => kept.find((step) => areSiblings(lost, step)))
  return kept.map((step) => (heirs.includes(step) ? { ...step, first: true } : step))
}
