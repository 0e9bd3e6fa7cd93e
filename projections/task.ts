/** What the name of a task tells: `{transcode}/{step}`, or `{transcode}/{step}/{piece}` where a step has a task for each piece. */
import type { DomainEvent } from "#domain/events.ts"
import type { Outputs } from "#domain/scheduling/events.ts"

export interface TaskName {
  readonly transcode: string
  readonly step: string
  readonly piece: number | undefined
}

export const readTaskId = (taskId: string): TaskName => {
  const [transcode = "", step = "", piece] = taskId.split("/")
  return { transcode, step, piece: piece === undefined ? undefined : Number(piece) }
}

/** The outputs of a task of this transcode that succeeded. */
export const outputsOf = (event: DomainEvent, transcode: string | null): Outputs | null =>
  event._tag === "TaskSucceeded" && readTaskId(event.taskId).transcode === transcode
    ? event.outputs
    : null
