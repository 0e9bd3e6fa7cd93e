/** What the name of a task tells: `{transcode}/{step}` or `{transcode}/{step}/{piece}`, where a step of a rung group is `{step}:{group}`. */
import type { DomainEvent } from "#domain/events.ts"
import type { Outputs } from "#domain/scheduling/events.ts"

export interface TaskName {
  readonly transcode: string
  readonly step: string
  readonly group: string | undefined
  readonly piece: number | undefined
}

export const readTaskId = (taskId: string): TaskName => {
  const [transcode = "", name = "", piece] = taskId.split("/")
  const [step = "", group] = name.split(":")
  return { transcode, step, group, piece: piece === undefined ? undefined : Number(piece) }
}

/** The outputs of a task of this transcode that succeeded. */
export const outputsOf = (event: DomainEvent, transcode: string | null): Outputs | null =>
  event._tag === "TaskSucceeded" && readTaskId(event.taskId).transcode === transcode
    ? event.outputs
    : null
