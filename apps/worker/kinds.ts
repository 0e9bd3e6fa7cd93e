/**
 * What a worker process takes: everything, the two kinds of slot by name (`light`, `encode`), or
 * task types one by one (`Thumbnails`, `encode-video`, `thumbnail`).
 */
import { Schema } from "effect"
import { builtInTypes } from "#domain/transcode/task-types.ts"
import type { Stages } from "./run-task.ts"

/** The two workers that a process registers as: waiting for bytes never takes a slot from encoding. */
export const Slots = Schema.Literals(["light", "encode"])
export type Slots = typeof Slots.Type

const plainly = (word: string) => word.toLowerCase().replaceAll("-", "").replace(/s$/, "")

const isType = (type: string, word: string) => plainly(type) === plainly(word)

/** A word of a person who starts a worker. */
export const Kind = Schema.Trim.check(
  Schema.makeFilter(
    (word: string) =>
      Schema.is(Slots)(word) ||
      builtInTypes.some(({ type }) => isType(type, word)) ||
      `${word} is neither light, encode nor a task type`,
  ),
)

/** For each kind of slot the stages that are taken; one of which none is taken is left out. */
export const takenBy = (
  kinds: ReadonlyArray<string>,
  stages: Readonly<Record<Slots, Stages>>,
): ReadonlyArray<{ readonly slots: Slots; readonly stages: Stages }> =>
  Slots.literals.flatMap((slots) => {
    const isTaken = (type: string) =>
      kinds.some((word) => word === slots || (!Schema.is(Slots)(word) && isType(type, word)))
    const taken = Object.entries(stages[slots]).filter(([type]) => isTaken(type))
    return taken.length === 0 ? [] : [{ slots, stages: Object.fromEntries(taken) }]
  })
