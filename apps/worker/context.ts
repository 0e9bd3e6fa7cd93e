/**
 * What a task finds when it begins: the plan of its transcode, and what the tasks before it have
 * told, folded from `transcode-{videoId}`. The first success of a task counts, as for the scheduler.
 */
import type { Schema } from "effect"
import type { DomainEvent, Unreadable } from "#domain/events.ts"
import { runOf, videoOf } from "#domain/keys.ts"
import type { Outputs, Piece, Step } from "#domain/scheduling/events.ts"

export interface TranscodeContext {
  readonly transcode: string
  readonly channelId: string
  readonly steps: ReadonlyArray<Step>
  readonly config: Readonly<Record<string, Schema.Json>>
  /** By task id. */
  readonly outputs: ReadonlyMap<string, Outputs>
  /** By step, in order. */
  readonly pieces: ReadonlyMap<string, ReadonlyMap<number, Piece>>
  readonly over: boolean
}

/** `{videoId}.{run}/{step}[/{piece}]`, the step with its rung group: `encode-video:r1`. */
export interface TaskName {
  readonly videoId: string
  readonly transcode: string
  readonly run: number
  readonly step: string
  readonly n: number | undefined
}

export const taskName = (taskId: string): TaskName => {
  const [transcode = "", step = "", n] = taskId.split("/")
  return {
    videoId: videoOf(transcode),
    transcode,
    run: runOf(transcode),
    step,
    n: n === undefined ? undefined : Number(n),
  }
}

const belongsTo = (transcode: string, event: DomainEvent): boolean =>
  ("transcode" in event && event.transcode === transcode) ||
  ("taskId" in event && event.taskId.startsWith(`${transcode}/`))

export const contextOf = (
  transcode: string,
  history: ReadonlyArray<DomainEvent | Unreadable>,
): TranscodeContext => {
  const outputs = new Map<string, Outputs>()
  const pieces = new Map<string, Map<number, Piece>>()
  let plan: Pick<TranscodeContext, "steps" | "config" | "channelId"> = {
    steps: [],
    config: {},
    channelId: "",
  }
  let over = false
  for (const event of history) {
    if (event._tag === "Unreadable" || !belongsTo(transcode, event)) continue
    switch (event._tag) {
      case "TranscodePlanned":
        if (plan.steps.length === 0) plan = event
        break
      case "TaskEmitted": {
        const { step } = taskName(event.taskId)
        const known = pieces.get(step) ?? new Map<number, Piece>()
        for (const piece of event.pieces) if (!known.has(piece.n)) known.set(piece.n, piece)
        pieces.set(step, known)
        break
      }
      case "TaskSucceeded":
        if (!outputs.has(event.taskId)) outputs.set(event.taskId, event.outputs)
        break
      case "TranscodeCompleted":
        over ||= event.goesOn !== true
        break
      case "TranscodeCancelled":
      case "TranscodeExtended":
      case "TranscodeFailed":
        over = true
    }
  }
  const { steps, config, channelId } = plan
  return { transcode, channelId, steps, config, outputs, pieces, over }
}

const inOrder = (pieces: ReadonlyMap<number, Piece> | undefined): ReadonlyArray<Piece> =>
  [...(pieces?.values() ?? [])].sort((a, b) => a.n - b.n)

const field = (outputs: Outputs | undefined, name: string): Schema.Json | undefined =>
  outputs?.[name] as Schema.Json | undefined

/** What `$context.{name}` stands for: a step's result, the pieces it emitted, or the list of what a map's tasks told. */
const fromContext = (
  context: TranscodeContext,
  step: Step,
  n: number | undefined,
  name: string,
) => {
  const writers = context.steps.filter(({ output }) => output?.[name] !== undefined)
  const told = (writer: Step, piece?: number) => {
    const id = `${context.transcode}/${writer.name}${piece === undefined ? "" : `/${piece}`}`
    return field(context.outputs.get(id), (writer.output?.[name] ?? "").replace(/^it\./, ""))
  }
  const [writer] = writers
  if (writer === undefined) return undefined
  if (writer.each === undefined) {
    const pieces = context.pieces.get(writer.name)
    return told(writer) ?? (pieces && (inOrder(pieces) as unknown as Schema.Json))
  }
  const values = (piece: number) =>
    writers.map((it) => told(it, piece)).filter((value) => value !== undefined)
  if (writer.each === step.each && n !== undefined) return values(n)[0]
  return inOrder(context.pieces.get(writer.each)).flatMap((piece) => values(piece.n))
}

/** The inputs of one task, as its step names them. */
export const inputsOf = (
  context: TranscodeContext,
  step: Step,
  n: number | undefined,
): Readonly<Record<string, Schema.Json>> => {
  const resolve = (value: Schema.Json): Schema.Json | undefined => {
    if (typeof value !== "string" || !value.startsWith("$")) return value
    const [, scope, name = ""] = /^\$(each|config|context)(?:\.(.+))?$/.exec(value) ?? []
    switch (scope) {
      case "config":
        return context.config[name]
      case "context":
        return fromContext(context, step, n, name)
      case "each":
        return context.pieces.get(step.each ?? "")?.get(n ?? -1) as Schema.Json | undefined
      default:
        return value
    }
  }
  return Object.fromEntries(
    Object.entries(step.input ?? {}).flatMap(([name, value]) => {
      const resolved = resolve(value)
      return resolved === undefined ? [] : [[name, resolved] as const]
    }),
  )
}

/** What the tasks of a step's definition, all its groups, have told of one piece. */
export const toldOf = (context: TranscodeContext, step: Step, n: number): ReadonlyArray<Outputs> =>
  context.steps
    .filter(({ type, each }) => type === step.type && each === step.each)
    .map(({ name }) => context.outputs.get(`${context.transcode}/${name}/${n}`))
    .filter((outputs) => outputs !== undefined)

/** The pieces emitted by the step that writes what this input names. */
export const emittedFor = (
  context: TranscodeContext,
  step: Step,
  input: string,
): ReadonlyArray<Piece> => {
  const named = step.input?.[input]
  if (typeof named !== "string" || !named.startsWith("$context.")) return []
  const name = named.slice("$context.".length)
  const writer = context.steps.find(({ output }) => output?.[name] !== undefined)
  return inOrder(writer && context.pieces.get(writer.name))
}
