/** What the scheduler in office owes the log: decided from the queues alone, so that any successor owes the same. */
import {
  inboxStream,
  type StreamName,
  schedulerStream,
  transcodeStream,
  workerStream,
} from "#domain/ids.ts"
import type { SchedulingEvent } from "./events.ts"
import { overloadedTypes } from "./load.ts"
import { match } from "./match.ts"
import { findTask, keyOf, lastTickOf, type Queues, type Transcode } from "./queues.ts"

/** What makes an event itself: its id is made of this. Ticks and signs of life add their revision. */
export const nameOf = (event: SchedulingEvent): string => {
  const words: Array<string | number> = [event._tag]
  if ("transcode" in event) words.push(event.transcode)
  if ("attempt" in event) words.push(keyOf(event))
  else if ("worker" in event) words.push(event.worker)
  if ("pieces" in event) words.push(event.taskId, ...event.pieces.map(({ n }) => n))
  if ("epoch" in event) words.push(event.epoch)
  return words.join(" ")
}

export const streamOf = (event: SchedulingEvent): StreamName => {
  if ("cell" in event) return schedulerStream(event.cell)
  if ("epoch" in event) return inboxStream(event.worker)
  return "videoId" in event ? transcodeStream(event.videoId) : workerStream(event.worker)
}

const endOf = ({ videoId, id, isComplete, steps }: Transcode): SchedulingEvent => {
  const of = { videoId, transcode: id }
  if (isComplete) return { _tag: "TranscodeExtended", ...of }
  const goesOn = steps.some(({ later }) => later === true)
  return { _tag: "TranscodeCompleted", ...of, ...(goesOn && { goesOn }) }
}

const milestones = (queues: Queues): ReadonlyArray<SchedulingEvent> =>
  [...queues.owed].flatMap((id) => {
    const transcode = queues.transcodes.get(id)
    if (transcode === undefined) return []
    const { videoId, playable, outcome } = transcode
    const owed: Array<SchedulingEvent> = []
    const of = { videoId, transcode: id }
    if (playable === "owed" && typeof outcome !== "object") {
      owed.push({ _tag: "TranscodePlayable", ...of })
    }
    if (outcome === "completed") owed.push(endOf(transcode))
    else if (outcome) owed.push({ _tag: "TranscodeFailed", ...of, code: outcome.code })
    return owed
  })

/** Everything owed and not sent yet. What it names is named by its content: sent twice, recorded once. */
export const decide = (
  queues: Queues,
  sent: ReadonlyMap<string, SchedulingEvent> = new Map(),
): ReadonlyArray<SchedulingEvent> => {
  const { epoch } = queues
  const lost = [...queues.workers.values()]
    .filter((worker) => queues.tick > lastTickOf(worker))
    .map(({ id }): SchedulingEvent => ({ _tag: "WorkerLost", epoch, worker: id }))
  const revoked = [...queues.unwanted.values()].map(
    (lease): SchedulingEvent => ({ _tag: "TaskRevoked", epoch, ...lease }),
  )
  const assigned = [...sent.values()].filter((event) => event._tag === "TaskAssigned")
  const overloaded = overloadedTypes(queues)
  const pairs = match(queues, assigned).map((lease): SchedulingEvent => {
    const type = findTask(queues, lease.taskId)?.step.type ?? ""
    return {
      ...{ _tag: "TaskAssigned", epoch, ...lease },
      ...(overloaded.has(type) && { hurry: true }),
    }
  })
  return [...lost, ...revoked, ...milestones(queues), ...pairs].filter(
    (event) => !sent.has(nameOf(event)),
  )
}
