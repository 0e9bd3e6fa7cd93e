/**
 * For tests: whole histories of a cell with crashes, stalls, rival and faulty schedulers, late and
 * doubled reports and cancellations. The dice are seeded, so a history can be played again.
 */
import { ChannelId, VideoId, WorkerId } from "#domain/ids.ts"
import { decide, nameOf } from "./decide.ts"
import type { Piece, SchedulingEvent, Step } from "./events.ts"
import { evolve } from "./evolve.ts"
import type { QueueFact, UploadNews } from "./queue-fact.ts"
import { keyOf, type Lease, noQueues, type Queues, stepNameOf } from "./queues.ts"

const idOf = (number: number) => `loc${String(number).padStart(16, "0")}`
export const videoIdOf = (number: number) => VideoId.make(idOf(number))
export const workerIdOf = (number: number) => WorkerId.make(idOf(number))
export const channelIdOf = (number: number) => ChannelId.make(`c${number}`)
export const videoOfTask = (taskId: string) => VideoId.make(taskId.slice(0, 19))
export const cell = "loc"

const encode = { each: "split", after: ["split", "inspect", "watermark"], seconds: 6 }
const steps: ReadonlyArray<Step> = [
  { name: "inspect", type: "probe", after: [], first: true },
  { name: "watermark", type: "image", after: [], first: true },
  { name: "split", type: "split", after: ["inspect"], first: true },
  { name: "encode-video:r1", type: "encode", ...encode, group: "r1", first: true },
  { name: "encode-video:r2", type: "encode", ...encode, group: "r2" },
  { name: "encode-video:all", type: "encode", ...encode, group: "all" },
  {
    name: "check",
    type: "probe",
    each: "split",
    after: ["encode-video:r1", "encode-video:r2", "encode-video:all"],
  },
  { name: "encode-audio", type: "encode", after: ["inspect"], seconds: 9, first: true },
  { name: "fingerprint", type: "image", after: ["inspect"], optional: true },
  { name: "package", type: "package", after: ["check", "encode-audio", "fingerprint"] },
  { name: "encode-more", type: "encode", each: "split", after: ["split"], later: true },
  { name: "package-more", type: "package", after: ["encode-more"], later: true },
]
export const types = ["probe", "image", "split", "encode", "package"]

/** The first two pieces one per rung, later ones for all rungs at once. */
export const pieceOf = (n: number): Piece => ({ n, groups: n < 2 ? ["r1", "r2"] : ["all"] })

export const newsOf = (video: number, revision: number, isOver = false): UploadNews => ({
  _tag: "UploadNews",
  videoId: videoIdOf(video),
  revision,
  isOver,
})

export const planned = (video: number, channel: number): SchedulingEvent => ({
  _tag: "TranscodePlanned",
  videoId: videoIdOf(video),
  transcode: `${videoIdOf(video)}.1`,
  channelId: channelIdOf(channel),
  service: "standard",
  pipeline: "test",
  steps,
  config: {},
})

const dice = (start: number) => {
  let seed = start
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Worker {
  readonly id: WorkerId
  readonly can: ReadonlyArray<string>
  read: number
  runs: Array<Lease>
  stalled: number
  isDead: boolean
  isLost: boolean
}

interface Scheduler {
  readonly queues: Queues
  readonly sent: Map<string, SchedulingEvent>
  read: number
  epoch: number
}

const VIDEOS = 6
const CHAOS_ROUNDS = 350

class Cell {
  readonly log: Array<QueueFact> = []
  /** By video: the revision of its upload's last event. */
  readonly #uploads = new Map<number, number>()
  readonly auditor = noQueues()
  readonly schedulers: ReadonlyArray<Scheduler>
  readonly #workers: Array<Worker> = []
  readonly #random: () => number
  readonly #seed: number
  #audited = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#random = dice(seed)
    this.schedulers = [0, 1].map(() => ({
      queues: noQueues(),
      sent: new Map(),
      read: 0,
      epoch: 0,
    }))
    for (let count = 0; count < 4; count++) this.hire()
  }

  chance(probability: number) {
    return this.#random() < probability
  }

  /** A whole number below `bound`. */
  below(bound: number) {
    return Math.floor(this.#random() * bound)
  }

  piecesOf(taskId: string): ReadonlyArray<Piece> {
    const count = (Number(videoOfTask(taskId).slice(3)) * 7 + this.#seed) % 8
    return Array.from({ length: count }, (_, n) => pieceOf(n))
  }

  hire() {
    const number = this.#workers.length
    const can = number % 3 < 2 ? types : ["encode", "probe"]
    const id = workerIdOf(number)
    const fresh = { read: 0, runs: [], stalled: 0, isDead: false, isLost: false }
    this.#workers.push({ id, can, ...fresh })
    this.log.push({ _tag: "WorkerStarted", worker: id, can, slots: 1 + this.below(3) })
  }

  /** Both read at their own pace, both may stand for office, one of them has a bug. */
  runScheduler(it: Scheduler, index: number, isChaos: boolean) {
    const { log } = this
    const unread = log.slice(it.read)
    for (const event of isChaos ? unread.slice(0, this.below(unread.length + 1)) : unread) {
      evolve(it.queues, event)
      if (event._tag !== "UploadNews") it.sent.delete(nameOf(event))
      it.read++
    }
    const last = log.reduce(
      (epoch, event) => (event._tag === "SchedulerStarted" ? Math.max(epoch, event.epoch) : epoch),
      0,
    )
    if (it.epoch < it.queues.epoch) it.epoch = 0
    if (last === 0 ? index === 0 : isChaos && this.chance(0.01)) {
      it.epoch = last + 1
      log.push({ _tag: "SchedulerStarted", cell, epoch: it.epoch })
      it.sent.clear()
    }
    if (it.epoch === 0) return
    // Exact revision: a rival's tick is refused.
    if (it.epoch === last) log.push({ _tag: "SchedulerTicked", cell, epoch: it.epoch })
    if (it.epoch !== it.queues.epoch) return
    if (isChaos && this.chance(0.2)) this.assignAnything(it, last)
    for (const event of decide(it.queues, it.sent)) {
      it.sent.set(nameOf(event), event)
      log.push(event)
    }
  }

  assignAnything({ queues }: Scheduler, epoch: number) {
    const known = [...queues.transcodes.values()].flatMap(({ tasks }) => [...tasks.keys()])
    const taskId = known[this.below(known.length)]
    if (taskId === undefined) return
    const worker = workerIdOf(this.below(this.#workers.length))
    const attempt = 1 + this.below(3)
    const videoId = videoOfTask(taskId)
    this.log.push({ _tag: "TaskAssigned", epoch, videoId, taskId, attempt, worker })
  }

  readInbox(worker: Worker) {
    const { log } = this
    while (worker.read < log.length) {
      const event = log[worker.read]
      worker.read++
      if (event === undefined || !("worker" in event) || event.worker !== worker.id) continue
      if (event._tag === "TaskAssigned") worker.runs.push(event)
      if (event._tag === "WorkerLost") worker.isLost = true // its late reports may still arrive
      if (event._tag !== "TaskRevoked") continue
      const { _tag, epoch, ...lease } = event
      worker.runs = worker.runs.filter((run) => keyOf(run) !== keyOf(lease))
      log.push({ _tag: "TaskReleased", ...lease })
    }
  }

  runWorker(worker: Worker, isChaos: boolean) {
    if (worker.isDead) return
    if (worker.stalled > 0) {
      worker.stalled--
      return
    }
    if (isChaos && this.chance(0.004)) worker.isDead = true
    if (isChaos && this.chance(0.006)) worker.stalled = 40
    this.readInbox(worker)
    if (worker.isLost && (worker.runs.length === 0 || this.chance(0.5))) {
      worker.isDead = true
      this.hire() // back under a new name
      return
    }
    for (const run of [...worker.runs]) this.work(worker, run, isChaos)
    this.log.push({ _tag: "WorkerSeen", worker: worker.id })
  }

  work(worker: Worker, run: Lease, isChaos: boolean) {
    const { log } = this
    const { videoId, taskId, attempt } = run
    const lease = { videoId, taskId, attempt, worker: worker.id }
    const pieces = stepNameOf(taskId) === "split" ? this.piecesOf(taskId) : []
    const emitted = { _tag: "TaskEmitted", videoId, taskId, worker: worker.id } as const
    const some = pieces[this.below(pieces.length)]
    if (some) log.push({ ...emitted, pieces: [some] })
    if (!this.chance(0.3)) return
    worker.runs.splice(worker.runs.indexOf(run), 1)
    // It gave up waiting for bytes, perhaps without having heard the last news.
    const revision = this.#uploads.get(Number(videoOfTask(taskId).slice(3)))
    if (revision !== undefined && this.chance(0.2)) {
      log.push({ _tag: "TaskReleased", ...lease, heard: revision - this.below(2) })
      return
    }
    if (isChaos && this.chance(0.08)) {
      const isRecoverable = !this.chance(0.1)
      log.push({ _tag: "TaskFailed", code: "crash", recoverable: isRecoverable, ...lease })
      return
    }
    if (pieces.length > 0) log.push({ ...emitted, pieces })
    const groups = this.#seed % 2 === 0 ? { groups: ["r2", "all"] } : {}
    const told = stepNameOf(taskId) === "inspect" ? groups : {}
    for (let times = isChaos && this.chance(0.1) ? 2 : 1; times > 0; times--) {
      log.push({ _tag: "TaskSucceeded", ...lease, ...told, outputs: {} })
    }
  }

  /** Uploads go on at times, and are over when the chaos is. */
  upload(round: number) {
    for (let video = 0; video < VIDEOS && video <= round / 12; video++) {
      const revision = (this.#uploads.get(video) ?? 0) + 1
      const isOver = round === CHAOS_ROUNDS
      if (round > CHAOS_ROUNDS || !(isOver || this.chance(0.05))) continue
      this.log.push(newsOf(video, revision, isOver))
      if (isOver) this.#uploads.delete(video)
      else this.#uploads.set(video, revision)
    }
  }

  run(check: (queues: Queues, log: ReadonlyArray<QueueFact>) => void) {
    let quiet = 0
    for (let round = 0; round < 4_000 && quiet < 60; round++) {
      const isChaos = round < CHAOS_ROUNDS
      if (round % 12 === 0 && round / 12 < VIDEOS) this.log.push(planned(round / 12, round % 5))
      this.upload(round)
      if (isChaos && this.chance(0.004)) {
        const videoId = videoIdOf(this.below(VIDEOS))
        this.log.push({ _tag: "TranscodeCancelled", videoId, transcode: `${videoId}.1` })
      }
      const isAble = this.#workers.some(({ isDead, can }) => !isDead && can === types)
      if (!isChaos && !isAble) this.hire()
      for (const [index, it] of this.schedulers.entries()) this.runScheduler(it, index, isChaos)
      for (const worker of this.#workers) this.runWorker(worker, isChaos)
      for (const event of this.log.slice(this.#audited)) evolve(this.auditor, event)
      this.#audited = this.log.length
      if (round % 7 === 0) check(this.auditor, this.log)
      quiet = round > CHAOS_ROUNDS && this.auditor.transcodes.size === 0 ? quiet + 1 : 0
    }
    return this
  }
}

export const history = (
  seed: number,
  check: (queues: Queues, log: ReadonlyArray<QueueFact>) => void,
) => new Cell(seed).run(check)
