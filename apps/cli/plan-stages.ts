/** The steps of a plan as people read them: the groups of one task are one task, and each stands in the first stage in which all it needs is done. */
import type { Step } from "#domain/scheduling/events.ts"
import { cpuSecondsOf, type ExpectedTask } from "#domain/transcode/cost.ts"

interface Named {
  readonly name: string
  readonly type: string
  readonly after: ReadonlyArray<string>
}

export interface PlannedTask extends Named {
  /** How often it is run for this video, and what that is expected to cost in all. */
  readonly count: number
  readonly cpuSeconds: number
}

const taskOf = (step: string) => step.split(":")[0] ?? step

const namedIn = (steps: ReadonlyArray<Step>): ReadonlyArray<Named> => {
  const types = new Map(steps.map(({ name, type }) => [taskOf(name), type] as const))
  return [...types].map(([name, type]) => {
    const own = steps.filter((step) => taskOf(step.name) === name)
    const before = new Set(own.flatMap(({ after }) => after).map(taskOf))
    return { name, type, after: [...types.keys()].filter((other) => before.has(other)) }
  })
}

export const tasksOf = (
  steps: ReadonlyArray<Step>,
  expected: ReadonlyArray<ExpectedTask>,
): ReadonlyArray<PlannedTask> =>
  namedIn(steps).map((task) => {
    const own = expected.filter(({ step }) => taskOf(step) === task.name)
    return { ...task, count: own.length, cpuSeconds: Math.round(cpuSecondsOf(own) * 100) / 100 }
  })

export const stagesOf = (steps: ReadonlyArray<Step>): ReadonlyArray<ReadonlyArray<string>> => {
  const stages: Array<ReadonlyArray<string>> = []
  const done = new Set<string>()
  let left = namedIn(steps)
  while (left.length > 0) {
    const ready = left.filter(({ after }) => after.every((name) => done.has(name)))
    if (ready.length === 0) return stages
    stages.push(ready.map(({ name }) => name))
    for (const { name } of ready) done.add(name)
    left = left.filter(({ name }) => !done.has(name))
  }
  return stages
}
