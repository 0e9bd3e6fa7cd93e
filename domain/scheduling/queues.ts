/**
 * The resource manager's memory: task queue, worker queue and running queue, folded from the log
 * by `evolve.ts`. No clock, no random, no I/O: time is counted in ticks, which are events. The fold
 * changes the accumulator it owns (at 100,000 tasks a copy per event costs 100 times as much); a
 * snapshot is its structured clone.
 */
import type { VideoId, WorkerId } from "#domain/ids.ts"
import type { Service, Step } from "./events.ts"

/** A worker that holds a lease and says nothing for so many ticks is lost. */
export const LEASE_TICKS = 15
/** One without a lease speaks only every 30 s. */
const IDLE_TICKS = 90
/** One that works speaks every 5 s. */
const DOUBT_TICKS = 7
/** Failures of one task that are tried again, after 2, 4 and 8 ticks. */
export const RETRIES = 3
/** Lost workers of one task before its video fails. */
export const LOSSES = 4
/** From so many lost workers on, a task runs alone on a whole worker. */
const SUSPECT_LOSSES = 2
/** Pieces that make the first playable seconds. */
export const FIRST_PIECES = 2
/** How far, in units of share, the first playable seconds may go ahead of other channels. */
export const HEAD_START = 60
/** Ranks below are on the way to the first playable seconds. */
export const LATER = 2 ** 50
/** Ranks above wait for all that is on the way to a whole video. */
export const LAST = 2 ** 52
export const WARM_VIDEOS = 8

export const weights: Readonly<Record<Service, number>> = { live: 16, standard: 4, bulk: 1 }

export interface Lease {
  readonly videoId: VideoId
  readonly taskId: string
  readonly attempt: number
  readonly worker: WorkerId
}

export interface Task {
  readonly id: string
  readonly step: Step
  readonly piece: number | undefined
  readonly rank: number
  state: "ready" | "waiting" | "running" | "done"
  attempt: number
  failures: number
  losses: number
  /** The key of the lease that counts. */
  lease: string | undefined
}

/** Piece number → the groups it names; `undefined`: every group takes it. */
export type Pieces = Map<number, ReadonlyArray<string> | undefined>

/** One run of a video's pipeline. */
export interface Transcode {
  readonly id: string
  readonly videoId: VideoId
  readonly channelId: string
  readonly weight: number
  readonly seq: number
  readonly tasks: Map<string, Task>
  /** By step: tasks done, and tasks there are to do so far when the step maps over pieces. */
  readonly done: Map<string, number>
  readonly taken: Map<string, number>
  /** By the step that emits them. */
  readonly pieces: Map<string, Pieces>
  steps: ReadonlyArray<Step>
  playable: "no" | "owed" | "told"
  /** Complete in the log: its later steps go on. */
  isComplete: boolean
  outcome: "completed" | { readonly code: string } | undefined
}

export interface Worker {
  readonly id: WorkerId
  readonly can: ReadonlySet<string>
  readonly slots: number
  free: number
  lastTick: number
  /** Has spoken since the scheduler in office was elected. */
  isHeard: boolean
  isStopping: boolean
  warm: ReadonlyArray<string>
}

export interface Channel {
  readonly id: string
  share: number
  /** By task type; each list is sorted, most urgent last. */
  readonly ready: Map<string, Array<Task>>
}

export interface Queues {
  epoch: number
  tick: number
  /** The share of the channel served last: where an idle channel rejoins. */
  virtual: number
  seen: number
  readonly transcodes: Map<string, Transcode>
  readonly workers: Map<WorkerId, Worker>
  readonly idle: Set<WorkerId>
  readonly channels: Map<string, Channel>
  /** Of uploads that go on: the revision of their last event. */
  readonly uploads: Map<VideoId, number>
  /** Tasks given back because no bytes came: each waits for the next event of its upload. */
  readonly paused: Map<VideoId, Set<string>>
  /** Task → the tick at which it may be tried again. */
  readonly waiting: Map<string, number>
  readonly running: Map<string, Lease & { readonly slots: number }>
  /** Leases to be revoked, and transcodes to be told of. */
  readonly unwanted: Map<string, Lease>
  readonly owed: Set<string>
}

export const noQueues = (): Queues => ({
  epoch: 0,
  tick: 0,
  virtual: 0,
  seen: 0,
  transcodes: new Map(),
  workers: new Map(),
  idle: new Set(),
  channels: new Map(),
  uploads: new Map(),
  paused: new Map(),
  waiting: new Map(),
  running: new Map(),
  unwanted: new Map(),
  owed: new Set(),
})

export const keyOf = ({ taskId, attempt, worker }: Omit<Lease, "videoId">) =>
  `${taskId}#${attempt}@${worker}`

/** A task is named `{transcode}/{step}` or `{transcode}/{step}/{piece}`. */
export const taskIdOf = (transcode: string, step: string, piece?: number) =>
  piece === undefined ? `${transcode}/${step}` : `${transcode}/${step}/${piece}`
export const transcodeOf = (taskId: string) => taskId.slice(0, taskId.indexOf("/"))
export const stepNameOf = (taskId: string) => taskId.split("/")[1] ?? ""

export const findTask = (queues: Queues, taskId: string) =>
  queues.transcodes.get(transcodeOf(taskId))?.tasks.get(taskId)

/** Seconds a task is expected to cost. */
export const costOf = ({ step }: Task) => step.seconds ?? 1

export const isSuspect = ({ losses }: Task) => losses >= SUSPECT_LOSSES

/** Slots a task takes: a suspect runs alone, so that it takes nobody with it. */
export const slotsFor = (task: Task, worker: Worker) => (isSuspect(task) ? worker.slots : 1)

/** Something is ready, waiting or running, or somebody has to be told: time must pass. Not for a paused upload. */
export const hasWork = ({ channels, waiting, running, unwanted, owed }: Queues) =>
  running.size > 0 ||
  waiting.size > 0 ||
  unwanted.size > 0 ||
  owed.size > 0 ||
  [...channels.values()].some(({ ready }) => ready.size > 0)

/** It may be dead: others are asked first. After a restart of everything the old workers are still known. */
export const isDoubtful = ({ tick }: Queues, { isHeard, free, slots, lastTick }: Worker) =>
  !isHeard || (free < slots && tick - lastTick > DOUBT_TICKS)

/** The tick after which a silent worker is lost. */
export const lastTickOf = ({ slots, free, lastTick }: Worker) =>
  lastTick + (free < slots ? LEASE_TICKS : IDLE_TICKS)
