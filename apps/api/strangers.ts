/**
 * What strangers may know; the owner knows all. Of the work: how much there is and who works, never
 * on what. Of a video: a private one is not there, and of one that is taken down nothing is told.
 */
import { Schema } from "effect"
import { VideoId } from "#domain/ids.ts"
import type { queuesView } from "#domain/scheduling/view.ts"
import { TakedownReason } from "#domain/video/events.ts"
import { VideoNotFound } from "#domain/video/video.ts"
import type { WatchPage } from "#projections/watch-page.ts"

/** The lists that name no task; a list that is added later is not told before it stands here. */
const open = new Set(["workerQueue", "nobodyCan"])

/** Whoever lists tasks tells the ids of videos that are private, unlisted or not published yet. */
export const withoutTasks = <Queues extends Pick<ReturnType<typeof queuesView>, "workerQueue">>(
  queues: Queues,
) => {
  const counts = Object.entries(queues).map(([name, value]) =>
    Array.isArray(value) && !open.has(name) ? [name, []] : [name, value],
  )
  const workerQueue = queues.workerQueue.map((worker) => ({ ...worker, warm: [] }))
  return { ...Object.fromEntries(counts), workerQueue }
}

/** Told as 451, as at every other door of the video. */
export class VideoIsClosed extends Schema.TaggedError<VideoIsClosed>()("VideoIsClosed", {
  videoId: VideoId,
  reason: TakedownReason,
}) {}

/** A row of the watch page, as far as it decides. */
export type Access = Pick<WatchPage, "visibility" | "takedownReason">

/**
 * Why a stranger may not see the video as it was `then`; `undefined`: come in. Both must allow it:
 * the video of today, because a takedown closes the past too, and that of then, because what was
 * written in private was not meant for anyone. Who may not know of it isn't told that it is closed.
 */
export const refusalOf = (
  videoId: VideoId,
  now: Access | undefined,
  then: Access | undefined = now,
): VideoNotFound | VideoIsClosed | undefined => {
  if (now === undefined || then === undefined) return new VideoNotFound({ videoId })
  if ([now, then].some(({ visibility }) => visibility === "private")) {
    return new VideoNotFound({ videoId })
  }
  const reason = now.takedownReason
  return reason === null ? undefined : new VideoIsClosed({ videoId, reason })
}
