/**
 * The life of a video as the timeline draws it: a pure fold of its events. Each event becomes a
 * moment that says what was true then; parts, chunks and sound become bars; and the whole is cut
 * into acts (made, open, held), each with a scale of its own, because seconds of making and days
 * of being public must both be readable.
 */
import { Result, Schema } from "effect"
import type { Sealed } from "#domain/sealed.ts"
import { EncodedPiece, Media, Rung, TICKS } from "#domain/transcode/facts.ts"
import type { Visibility } from "#domain/video/events.ts"
import type { Told } from "./reader.ts"

type StateThen =
  | "announced"
  | "uploading"
  | "processing"
  | "watchable-uploading"
  | "watchable"
  | "published"
  | "failed"
  | "expired"
  | "closed"

/** What was true after an event. */
export interface Then {
  readonly state: StateThen
  readonly title: Sealed | null
  readonly visibility: Visibility | null
  readonly partCount: number
  readonly partsReceived: number
  readonly bytesReceived: number
  readonly byteLength: number
  /** Watchable seconds of each rung, in the ladder's order, lowest first. */
  readonly ready: Readonly<Record<string, number>>
  readonly durationSeconds: number
}

export interface Moment extends Told {
  readonly act: number
  /** Per cent of the whole track. */
  readonly x: number
  readonly facts: Then
}

export interface Bar {
  readonly lane: string
  readonly kind: "up" | "enc"
  readonly from: number
  readonly to: number
}

export interface Act {
  readonly kind: "made" | "open" | "held"
  readonly again: boolean
  /** The event it begins with, by its place in the history. */
  readonly first: number
  readonly from: number
  readonly to: number
}

export interface Life {
  readonly acts: ReadonlyArray<Act>
  readonly moments: ReadonlyArray<Moment>
  readonly bars: ReadonlyArray<Bar>
  /** Highest rung first, as they lie under the thread. */
  readonly rungs: ReadonlyArray<string>
  readonly hasAudio: boolean
  readonly now: number
}

const weight = { made: 5, open: 3, held: 2.5 } as const

interface Known {
  readonly facts: Then
  readonly parts: ReadonlyMap<number, number>
  readonly received: ReadonlySet<number>
  readonly pieces: ReadonlyMap<number, EncodedPiece>
  readonly uploaded: boolean
  readonly progress: "processing" | "playable" | "published" | "failed" | "expired"
  readonly isTakenDown: boolean
}

const nothing: Known = {
  facts: {
    state: "announced",
    title: null,
    visibility: null,
    partCount: 0,
    partsReceived: 0,
    bytesReceived: 0,
    byteLength: 0,
    ready: {},
    durationSeconds: 0,
  },
  parts: new Map(),
  received: new Set(),
  pieces: new Map(),
  uploaded: false,
  progress: "processing",
  isTakenDown: false,
}

const asRungs = Schema.decodeUnknownResult(Schema.Array(Rung))
const asMedia = Schema.decodeUnknownResult(Media)
const asPiece = Schema.decodeUnknownResult(EncodedPiece)
const known = <A>(result: Result.Result<A, unknown>): A | undefined =>
  Result.isSuccess(result) ? result.success : undefined

const stateOf = ({ progress, isTakenDown, uploaded, received }: Known): StateThen => {
  if (isTakenDown) return "closed"
  if (progress === "playable") return uploaded ? "watchable" : "watchable-uploading"
  if (progress !== "processing") return progress
  if (uploaded) return "processing"
  return received.size === 0 ? "announced" : "uploading"
}

/** Seconds from the start on without a gap. */
const readySeconds = (pieces: ReadonlyMap<number, EncodedPiece>, rung: string): number => {
  let ticks = 0
  for (let n = 0; ; n += 1) {
    const made = pieces.get(n)?.rungs.find((encoded) => encoded.rung === rung)
    if (made === undefined) return ticks / TICKS
    ticks += made.segments.reduce((sum, { duration }) => sum + duration, 0)
  }
}

const withSuccess = (before: Known, outputs: Readonly<Record<string, unknown>>): Known => {
  const media = "media" in outputs ? known(asMedia(outputs.media)) : undefined
  const rungs = "rungs" in outputs ? known(asRungs(outputs.rungs)) : undefined
  const piece = "segments" in outputs ? known(asPiece(outputs.segments)) : undefined
  let { facts, pieces } = before
  if (media !== undefined) facts = { ...facts, durationSeconds: media.durationTicks / TICKS }
  if (rungs !== undefined) {
    facts = { ...facts, ready: Object.fromEntries(rungs.map(({ name }) => [name, 0])) }
  }
  if (piece !== undefined) {
    const already = pieces.get(piece.n)?.rungs ?? []
    const fresh = piece.rungs.filter(({ rung }) => already.every((old) => old.rung !== rung))
    pieces = new Map(pieces).set(piece.n, { n: piece.n, rungs: [...already, ...fresh] })
    const names = new Set([...Object.keys(facts.ready), ...piece.rungs.map(({ rung }) => rung)])
    const ready = [...names].map((name) => [name, readySeconds(pieces, name)] as const)
    facts = { ...facts, ready: Object.fromEntries(ready) }
  }
  return { ...before, facts, pieces }
}

const step = (before: Known, { event }: Told): Known => {
  const { facts } = before
  switch (event._tag) {
    case "VideoCreated":
      return { ...before, facts: { ...facts, title: event.title, visibility: event.visibility } }
    case "VideoDetailsChanged": {
      const { title = facts.title, visibility = facts.visibility } = event
      return { ...before, facts: { ...facts, title, visibility } }
    }
    case "UploadRequested": {
      const parts = new Map(event.parts.map(({ number, length }) => [number, length]))
      const { byteLength } = event
      return { ...before, parts, facts: { ...facts, partCount: parts.size, byteLength } }
    }
    case "PartsReceived": {
      const received = new Set([...before.received, ...event.parts.map(({ number }) => number)])
      const bytes = [...received].reduce((sum, n) => sum + (before.parts.get(n) ?? 0), 0)
      const counted = { partsReceived: received.size, bytesReceived: bytes }
      return { ...before, received, facts: { ...facts, ...counted } }
    }
    case "UploadCompleted":
      return { ...before, uploaded: true }
    case "UploadExpired":
      return { ...before, progress: "expired" }
    case "TranscodePlanned":
      return { ...before, pieces: new Map() }
    case "TaskSucceeded":
      return withSuccess(before, event.outputs)
    case "VideoPlayable":
      return { ...before, progress: "playable" }
    case "VideoPublished":
      return { ...before, progress: "published" }
    case "VideoFailed":
      return { ...before, progress: "failed" }
    case "VideoTakenDown":
      return { ...before, isTakenDown: true }
    case "VideoReinstated":
      return { ...before, isTakenDown: false }
    default:
      return before
  }
}

const turns = new Set(["VideoPublished", "VideoFailed", "VideoTakenDown", "VideoReinstated"])

const actsOf = (history: ReadonlyArray<Told>, now: number): ReadonlyArray<Act> => {
  const begun: Array<Pick<Act, "kind" | "first" | "from">> = [
    { kind: "made", first: 0, from: history[0]?.recordedAt ?? now },
  ]
  let reached: Act["kind"] = "made"
  for (const [first, { event, recordedAt: from }] of history.entries()) {
    if (!turns.has(event._tag)) continue
    if (event._tag === "VideoPublished") reached = "open"
    if (event._tag === "VideoFailed" && reached === "made") reached = "held"
    const kind = event._tag === "VideoTakenDown" ? "held" : reached
    if (begun.at(-1)?.kind !== kind) begun.push({ kind, first, from })
  }
  return begun.map((act, index) => ({
    ...act,
    again: begun.slice(0, index).some(({ kind }) => kind === act.kind),
    to: begun[index + 1]?.from ?? Math.max(now, act.from),
  }))
}

/** Where a time lies, per cent of its act. */
export const within = ({ from, to }: Act, at: number): number =>
  to <= from ? 0 : Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100))

const placed = (acts: ReadonlyArray<Act>, act: number, at: number): number => {
  const total = acts.reduce((sum, { kind }) => sum + weight[kind], 0)
  const before = acts.slice(0, act).reduce((sum, { kind }) => sum + weight[kind], 0)
  const here = acts[act]
  if (here === undefined) return 100
  return ((before + (weight[here.kind] * within(here, at)) / 100) / total) * 100
}

/** Bars of what took time: parts between reports, chunks and sound by their own wall time. */
const barsOf = (history: ReadonlyArray<Told>): ReadonlyArray<Bar> => {
  const bars: Array<Bar> = []
  const seen = new Set<string>()
  let reported = history[0]?.recordedAt ?? 0
  for (const { event, recordedAt: to } of history) {
    if (event._tag === "UploadRequested") reported = to
    if (event._tag === "PartsReceived") {
      const each = (to - reported) / event.parts.length
      for (const [index] of event.parts.entries()) {
        const from = reported + index * each
        bars.push({ lane: "parts", kind: "up", from, to: from + each })
      }
      reported = to
    }
    if (event._tag !== "TaskSucceeded" || seen.has(event.taskId)) continue
    seen.add(event.taskId)
    const from = to - (event.wallSeconds ?? 0) * 1000
    const piece = "segments" in event.outputs ? known(asPiece(event.outputs.segments)) : undefined
    for (const { rung } of piece?.rungs ?? []) bars.push({ lane: rung, kind: "enc", from, to })
    if ("audio" in event.outputs) bars.push({ lane: "audio", kind: "enc", from, to })
  }
  return bars
}

/** Positions grow with the log: the event a page at `position` stands on is the last not after it. */
export const momentAt = (life: Life, position: string | undefined): number => {
  if (position === undefined) return life.moments.length - 1
  const isAfter = (a: string, b: string) => (a.length === b.length ? a > b : a.length > b.length)
  return Math.max(
    0,
    life.moments.findLastIndex((moment) => !isAfter(moment.position, position)),
  )
}

export const lifeOf = (history: ReadonlyArray<Told>, now: number): Life => {
  const acts = actsOf(history, now)
  const moments: Array<Moment> = []
  let state = nothing
  let act = 0
  for (const [index, told] of history.entries()) {
    state = step(state, told)
    if (acts[act + 1]?.first === index) act += 1
    const facts = { ...state.facts, state: stateOf(state) }
    moments.push({ ...told, act, x: placed(acts, act, told.recordedAt), facts })
  }
  const bars = barsOf(history)
  return {
    acts,
    moments,
    bars,
    rungs: Object.keys(state.facts.ready).reverse(),
    hasAudio: bars.some(({ lane }) => lane === "audio"),
    now,
  }
}

/** For strangers: a title that was held in private is not told later either. */
export const withoutPrivateTitles = (life: Life): Life => ({
  ...life,
  moments: life.moments.map((moment) =>
    moment.facts.visibility === "private"
      ? { ...moment, facts: { ...moment.facts, title: null } }
      : moment,
  ),
})
