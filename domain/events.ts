/**
 * Every event there is, and how one is read back from the store. In the store the event's `_tag`
 * is its type and the rest its data; what cannot be read becomes `Unreadable`, so that one bad
 * event is seen and parked instead of stopping the log.
 */
import { Result, Schema } from "effect"
import { AccountEvent } from "./account/events.ts"
import { ChannelEvent } from "./channel/events.ts"
import { SchedulingEvent } from "./scheduling/events.ts"
import { TakedownEvent } from "./takedown/events.ts"
import { UploadEvent } from "./upload/events.ts"
import { VideoEvent } from "./video/events.ts"

export const DomainEvent = Schema.Union([
  VideoEvent,
  UploadEvent,
  SchedulingEvent,
  TakedownEvent,
  ChannelEvent,
  AccountEvent,
])
export type DomainEvent = typeof DomainEvent.Type

export interface Unreadable {
  readonly _tag: "Unreadable"
  readonly type: string
  readonly issue: string
}

/** Who asked for what, and what it follows from. `prev` chains the events of one-writer streams (SHA-256, hex). */
export interface Metadata {
  readonly $correlationId: string
  readonly $causationId: string
  readonly actor: string
  readonly region: string
  readonly version: number
  readonly prev?: string
}

export const eventTypes: ReadonlySet<string> = new Set(
  [VideoEvent, UploadEvent, SchedulingEvent, TakedownEvent, ChannelEvent, AccountEvent].flatMap(
    (union) => Object.keys(union.cases),
  ),
)

const caseOf = new Map<string, (data: unknown) => Result.Result<DomainEvent, Schema.SchemaError>>(
  [VideoEvent, UploadEvent, SchedulingEvent, TakedownEvent, ChannelEvent, AccountEvent].flatMap(
    (union) =>
      Object.entries(union.cases).map(([tag, schema]) => {
        const decode = Schema.decodeUnknownResult(schema as Schema.Codec<DomainEvent>)
        return [tag, (data: unknown) => decode(data)] as const
      }),
  ),
)

/** An event from its stored type and data; old versions are upcast here. */
export const readEvent = (type: string, data: unknown): DomainEvent | Unreadable => {
  const decode = caseOf.get(type)
  if (decode === undefined) return { _tag: "Unreadable", type, issue: "unknown type" }
  const known = typeof data === "object" && data !== null ? data : {}
  return Result.match(decode({ _tag: type, ...known }), {
    onSuccess: (event) => event,
    onFailure: (issue) => ({ _tag: "Unreadable", type, issue: issue.message }),
  })
}

/** What the store keeps of an event. */
export const writeEvent = (event: DomainEvent): { type: string; data: Record<string, unknown> } => {
  const { _tag, ...data } = event
  return { type: _tag, data }
}
