/**
 * The choreography: whenever this happened, then that is done. Nothing else reacts. It is a fold of
 * the log that owes its results like assignments: repeated until they are seen in the log. Run by
 * the scheduler in office.
 */
import { Result, type Schema } from "effect"
import { evolveMarks, type Marks, noMarks, type Watermark } from "./channel/watermark.ts"
import type { DomainEvent } from "./events.ts"
import type { ChannelId, VideoId } from "./ids.ts"
import { runOf, sourcePrefix, transcodeId } from "./keys.ts"
import type { SchedulingEvent } from "./scheduling/events.ts"
import { type Plan, planOf, startOf, withWatermark } from "./transcode/channel-pipeline.ts"
import { builtInTypes } from "./transcode/task-types.ts"

/** An upload of which nothing came for so many ticks, not even the request, is abandoned: two hours of a busy cell, days of an idle one. */
export const UNBEGUN_TICKS = 7_200
/** One that has begun gets a day of a busy cell. */
export const ABANDONED_TICKS = 86_400

const TAKEN_DOWN = "taken_down"

/** What the policy remembers of a video until its upload and its transcode are over. */
interface Case {
  readonly channelId: ChannelId
  /** Of its channel, when the video was created or last asked for anew; none: the built-in one. */
  plan: Plan | undefined
  /** As its channel had set it then. */
  watermark: Watermark | undefined
  upload: "none" | "requested" | "receiving" | "completed" | "expired"
  /** The tick of the last news from the uploader. */
  lastTick: number
  isTakenDown: boolean
  /** Of the last run; 0: none yet. */
  run: number
  isRunning: boolean
  hasEnded: boolean
  /** A run is wanted that has not been planned. */
  isWanted: boolean
}

export interface Policy {
  tick: number
  readonly cases: Map<VideoId, Case>
  /** The videos that may be owed something. */
  readonly due: Set<VideoId>
  /** Of the channels that have chosen a pipeline of their own. */
  readonly plans: Map<ChannelId, Plan>
  readonly marks: Map<ChannelId, Marks>
  /** The last run of videos that are done and had more than one. */
  readonly lastRuns: Map<VideoId, number>
}

export type Reaction = Extract<SchedulingEvent, { _tag: "TranscodePlanned" | "TranscodeCancelled" }>

export const noPolicy = (): Policy => ({
  tick: 0,
  cases: new Map(),
  due: new Set(),
  plans: new Map(),
  marks: new Map(),
  lastRuns: new Map(),
})

// What happened

const open = (policy: Policy, videoId: VideoId, channelId: ChannelId): Case => {
  const known = policy.cases.get(videoId)
  if (known) return known
  const opened: Case = {
    channelId,
    plan: policy.plans.get(channelId),
    watermark: policy.marks.get(channelId)?.shown?.watermark,
    upload: "none",
    lastTick: policy.tick,
    isTakenDown: false,
    run: 0,
    isRunning: false,
    hasEnded: false,
    isWanted: false,
  }
  policy.cases.set(videoId, opened)
  return opened
}

/** A published video is made anew, by what its channel has set by now. */
const openAgain = (
  policy: Policy,
  { videoId, channelId, transcode }: Extract<DomainEvent, { _tag: "RenditionsRequested" }>,
): Case => {
  const it = open(policy, videoId, channelId)
  if (it.run === 0) {
    it.run = policy.lastRuns.get(videoId) ?? runOf(transcode)
    it.upload = "completed"
    it.hasEnded = true
  }
  it.plan = policy.plans.get(channelId)
  it.watermark = policy.marks.get(channelId)?.shown?.watermark
  return it
}

const caseFor = (policy: Policy, event: DomainEvent & { readonly videoId: VideoId }) => {
  switch (event._tag) {
    case "VideoCreated":
    case "UploadRequested":
      return open(policy, event.videoId, event.channelId)
    case "RenditionsRequested":
      return openAgain(policy, event)
    default:
      return policy.cases.get(event.videoId)
  }
}

const applyToCase = (it: Case, event: DomainEvent, tick: number) => {
  switch (event._tag) {
    case "UploadRequested":
      if (it.upload === "none") it.upload = "requested"
      it.lastTick = tick
      break
    case "PartsReceived": // not when all are there: encoding overlaps the upload
      if (it.upload === "requested") {
        it.upload = "receiving"
        it.isWanted = true
      }
      it.lastTick = tick
      break
    case "UploadCompleted":
      it.upload = "completed"
      break
    case "UploadExpired":
      it.upload = "expired"
      break
    case "VideoTakenDown":
      it.isTakenDown = true
      break
    case "VideoReinstated":
      it.isTakenDown = false
      it.isWanted ||= it.run > 0 && !it.isRunning && !it.hasEnded
      break
    case "RenditionsRequested":
      it.isWanted = true
      break
    case "TranscodePlanned":
      it.hasEnded = false
      it.run = Math.max(it.run, Number(event.transcode.slice(event.videoId.length + 1)))
      it.isRunning = true
      it.isWanted = false
      break
    case "TranscodeCancelled":
      if (event.transcode !== transcodeId(event.videoId, it.run)) break
      it.isRunning = false
      it.isWanted = event.reason === TAKEN_DOWN // it may be back already
      break
    case "TranscodeCompleted":
    case "TranscodeFailed":
      it.isRunning = false
      it.hasEnded = true
      break
  }
}

const isOver = ({ upload, isRunning, isWanted, hasEnded }: Case) =>
  !isRunning &&
  !(isWanted && hasEnded) &&
  (upload === "expired" || (upload === "completed" && hasEnded))

const isOwedPlan = ({ isWanted, isTakenDown, isRunning, upload }: Case) =>
  isWanted && !isTakenDown && !isRunning && upload !== "expired"

const isOwedEnd = ({ isRunning, isTakenDown, upload }: Case) =>
  isRunning && (isTakenDown || upload === "expired")

const isAbandoned = ({ upload, lastTick }: Case, tick: number) => {
  const silent = tick - lastTick
  return (
    ((upload === "none" || upload === "requested") && silent > UNBEGUN_TICKS) ||
    (upload === "receiving" && silent > ABANDONED_TICKS)
  )
}

const consider = (policy: Policy, videoId: VideoId, it: Case) => {
  if (isOver(it)) {
    policy.cases.delete(videoId)
    if (it.run > 1) policy.lastRuns.set(videoId, it.run)
  }
  if (isOwedPlan(it) || isOwedEnd(it)) policy.due.add(videoId)
  else policy.due.delete(videoId)
}

/** One that task types of today no longer carry out is passed over: its videos are made by the built-in one. */
const choose = ({ plans }: Policy, event: Extract<DomainEvent, { _tag: "PipelineChosen" }>) => {
  const { channelId, pipeline } = event
  const chosen = pipeline && Result.getOrElse(planOf(pipeline.tree, builtInTypes), () => null)
  if (chosen === null) plans.delete(channelId)
  else plans.set(channelId, chosen)
}

const mark = ({ marks }: Policy, event: DomainEvent) => {
  switch (event._tag) {
    case "WatermarkSet":
    case "WatermarkMade":
    case "WatermarkRefused": {
      const { channelId } = event
      marks.set(channelId, evolveMarks(marks.get(channelId) ?? noMarks, event))
    }
  }
}

/** Changes the accumulator it owns, as the fold of the queues does. */
export const evolvePolicy = (policy: Policy, event: DomainEvent): Policy => {
  if (event._tag === "SchedulerTicked") policy.tick++
  if (event._tag === "PipelineChosen") choose(policy, event)
  mark(policy, event)
  if (!("videoId" in event)) return policy
  const { videoId } = event
  const it = caseFor(policy, event)
  if (it) {
    applyToCase(it, event, policy.tick)
    consider(policy, videoId, it)
  }
  return policy
}

// What is owed

const reactionOf = (videoId: VideoId, it: Case, builtIn: Plan): Reaction => {
  if (isOwedEnd(it)) {
    const reason = it.isTakenDown ? TAKEN_DOWN : "upload_expired"
    return {
      _tag: "TranscodeCancelled",
      videoId,
      transcode: transcodeId(videoId, it.run),
      reason,
    }
  }
  const plan = it.plan ?? builtIn
  const { watermark } = it
  const { pipeline, steps } = watermark === undefined ? plan : withWatermark(plan, builtInTypes)
  const start = startOf(sourcePrefix(videoId))
  return {
    _tag: "TranscodePlanned",
    videoId,
    transcode: transcodeId(videoId, it.run + 1),
    channelId: it.channelId,
    service: "standard",
    pipeline,
    steps,
    config: {
      ...(it.plan === undefined ? { source: start.source } : start),
      // Decoded and encoded alike.
      ...(watermark !== undefined && { watermark: watermark as unknown as Schema.Json }),
    },
  }
}

/** The transcodes to begin and to end; `builtIn` for channels without a pipeline of their own. */
export const reactTo = (policy: Policy, builtIn: Plan): ReadonlyArray<Reaction> =>
  [...policy.due].flatMap((videoId) => {
    const it = policy.cases.get(videoId)
    return it ? [reactionOf(videoId, it, builtIn)] : []
  })

/** The uploads that nobody goes on with. */
export const abandonedUploads = ({ cases, tick }: Policy): ReadonlyArray<VideoId> =>
  [...cases].filter(([, it]) => isAbandoned(it, tick)).map(([videoId]) => videoId)
