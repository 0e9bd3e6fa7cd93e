/**
 * Tasks that wait for bytes of an upload that has gone silent. They hold no slot: the worker gives
 * them back and says what it had heard of the upload; they are offered again with the next news.
 */
import type { QueueFact } from "./queue-fact.ts"
import { findTask, type Queues, type Task, type Transcode, transcodeOf } from "./queues.ts"
import { enqueue, payBack } from "./task-queue.ts"

type Of<Tag extends QueueFact["_tag"]> = Extract<QueueFact, { _tag: Tag }>

/** News that the worker had not heard when it gave up may be what it waited for. */
export const isPausing = ({ uploads }: Queues, { videoId, heard }: Of<"TaskReleased">) =>
  heard !== undefined && (uploads.get(videoId) ?? Number.POSITIVE_INFINITY) <= heard

export const pause = (queues: Queues, transcode: Transcode, task: Task) => {
  const { videoId } = transcode
  const withheld = queues.paused.get(videoId) ?? new Set()
  queues.paused.set(videoId, withheld.add(task.id))
  task.state = "waiting"
  payBack(queues, transcode, task)
}

export const resume = (queues: Queues, { videoId, revision, isOver }: Of<"UploadNews">) => {
  if (isOver) queues.uploads.delete(videoId)
  else queues.uploads.set(videoId, revision)
  const withheld = queues.paused.get(videoId) ?? []
  queues.paused.delete(videoId)
  for (const taskId of withheld) {
    const transcode = queues.transcodes.get(transcodeOf(taskId))
    const task = findTask(queues, taskId)
    if (transcode && task?.state === "waiting") enqueue(queues, transcode, task)
  }
}
