/**
 * What must hold in every history, whatever broke while it was written. One program checks it: the
 * tests after they killed processes, and `reelog verify` on a living platform.
 */
import type { DomainEvent, Unreadable } from "./events.ts"
import { isAfter } from "./ids.ts"
import { runOf } from "./keys.ts"

export interface Fact {
  readonly stream: string
  readonly revision: number
  readonly position: string
  readonly id: string
  readonly event: DomainEvent | Unreadable
}

export interface Problem {
  readonly rule: string
  readonly stream: string
  readonly revision: number
  readonly detail: string
}

/** More of them say no more. */
const MOST_PROBLEMS = 1_000

/** What is written twice is written again soon after: by whoever did not hear the answer. */
const REMEMBERED_IDS = 100_000

/** Whether a name was seen among the last hundred thousand (up to twice as many). */
const recentNames = () => {
  let newer = new Set<string>()
  let older = new Set<string>()
  return (name: string): boolean => {
    if (newer.has(name) || older.has(name)) return true
    if (newer.size === REMEMBERED_IDS) {
      older = newer
      newer = new Set()
    }
    newer.add(name)
    return false
  }
}

interface Video {
  /** The run that was published last; 0: none yet. */
  published: number
  /** Was once to be made anew. */
  isRequested: boolean
  isPlayable: boolean
  readonly milestones: Set<string>
}

/** Facts in log order, one after the other; `problems` afterwards. Holds a few words per stream and video, however long the log is. */
export const auditor = () => {
  const problems: Array<Problem> = []
  const revisions = new Map<string, number>()
  const isRecent = recentNames()
  const videos = new Map<string, Video>()
  let last = ""

  const videoOf = (id: string): Video => {
    const known = videos.get(id) ?? {
      ...{ published: 0, isRequested: false, isPlayable: false },
      milestones: new Set(),
    }
    videos.set(id, known)
    return known
  }

  const look = (fact: Fact) => {
    const { stream, revision, position, id, event } = fact
    const say = (rule: string, detail: string) => {
      if (problems.length < MOST_PROBLEMS) problems.push({ rule, stream, revision, detail })
    }

    if (last !== "" && !isAfter(position, last))
      say("the log is in order", `${position} after ${last}`)
    last = position
    const before = revisions.get(stream)
    if (before !== undefined && revision !== before + 1) {
      say("a stream has no gap", `revision ${revision} after ${before}`)
    }
    revisions.set(stream, revision)
    if (isRecent(`${stream} ${id}`)) say("an event is recorded once", `id ${id} twice`)

    switch (event._tag) {
      case "Unreadable":
        say("every event can be read", `${event.type}: ${event.issue}`)
        break
      case "TranscodePlayable":
      case "TranscodeCompleted":
      case "TranscodeExtended":
        videoOf(event.videoId).milestones.add(`${event._tag} ${event.transcode}`)
        break
      case "VideoPlayable": {
        const video = videoOf(event.videoId)
        if (!video.milestones.has(`TranscodePlayable ${event.transcode}`)) {
          say("nothing is visible before its transcode is playable", event.transcode)
        }
        video.isPlayable = true
        break
      }
      case "VideoExtended":
        if (!videoOf(event.videoId).milestones.has(`TranscodeExtended ${event.transcode}`)) {
          say("nothing is extended before its transcode is", event.transcode)
        }
        break
      case "RenditionsRequested":
        videoOf(event.videoId).isRequested = true
        break
      case "VideoPublished": {
        const video = videoOf(event.videoId)
        if (!video.milestones.has(`TranscodeCompleted ${event.transcode}`)) {
          say("nothing is published before its transcode is complete", event.transcode)
        }
        const run = runOf(event.transcode)
        if (video.published > 0 && !(video.isRequested && run > video.published)) {
          say("a video is published once for each time it is asked for", event.transcode)
        }
        video.published = run
        break
      }
    }
  }

  return { look, problems: (): ReadonlyArray<Problem> => problems }
}
