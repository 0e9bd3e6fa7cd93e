/** What a group of competing consumers was created with, read from the request and kept as JSON. */
import type persistent from "@eventstore/db-client/generated/persistent_pb.js"
import { numberOf } from "./cursor.ts"
import { badRequest } from "./failures.ts"
import { type FilterRequest, filterRequestOf, wantedBy } from "./filter.ts"
import { nameOf } from "./wire.ts"

export const ALL = "$all"

const strategies = ["DispatchToSingle", "RoundRobin", "Pinned"] as const
export type Strategy = (typeof strategies)[number]

export interface GroupSettings {
  /** `$all`, or a stream. */
  readonly source: string
  readonly name: string
  readonly filter: FilterRequest | null
  /** The first position or revision wanted; `end`: what comes after the creation. */
  readonly startFrom: number | "end"
  readonly resolveLinks: boolean
  readonly extraStatistics: boolean
  readonly maxRetryCount: number
  readonly minCheckpointCount: number
  readonly maxCheckpointCount: number
  /** 0: any number. */
  readonly maxSubscriberCount: number
  readonly liveBufferSize: number
  readonly readBatchSize: number
  readonly historyBufferSize: number
  /** 0: consumers may take their time. */
  readonly messageTimeoutMillis: number
  readonly checkpointAfterMillis: number
  readonly strategy: Strategy
}

type Request = persistent.CreateReq | persistent.UpdateReq
type RequestSettings = persistent.CreateReq.Settings | persistent.UpdateReq.Settings

const TICKS_PER_MILLI = 10_000
/** How clients from before 21.10 spell the end of a stream. */
const LAST_REVISION = "18446744073709551615"

const filterOf = (all: persistent.CreateReq.AllOptions | persistent.UpdateReq.AllOptions) => {
  const filter = "getFilter" in all ? all.getFilter() : undefined
  if (filter === undefined) return null
  const request = filterRequestOf(filter)
  wantedBy(request)
  return request
}

const startOfLog = (
  all: persistent.CreateReq.AllOptions | persistent.UpdateReq.AllOptions,
): number | "end" => {
  if (all.hasEnd()) return "end"
  const position = all.getPosition()
  return position === undefined ? 0 : numberOf(position.getCommitPosition())
}

const startOfStream = (
  stream: persistent.CreateReq.StreamOptions | persistent.UpdateReq.StreamOptions | undefined,
  settings: RequestSettings,
): number | "end" => {
  if (stream === undefined)
    return settings.getRevision() === LAST_REVISION ? "end" : numberOf(settings.getRevision())
  if (stream.hasEnd()) return "end"
  return stream.hasRevision() ? numberOf(stream.getRevision()) : 0
}

export const settingsIn = (request: Request): GroupSettings => {
  const options = request.getOptions()
  const settings = options?.getSettings()
  if (options === undefined || settings === undefined) throw badRequest("a group needs settings")
  const all = options.getAll()
  const stream = options.getStream()
  return {
    source:
      all === undefined
        ? nameOf(stream?.getStreamIdentifier() ?? options.getStreamIdentifier())
        : ALL,
    name: options.getGroupName(),
    filter: all === undefined ? null : filterOf(all),
    startFrom: all === undefined ? startOfStream(stream, settings) : startOfLog(all),
    resolveLinks: settings.getResolveLinks(),
    extraStatistics: settings.getExtraStatistics(),
    maxRetryCount: settings.getMaxRetryCount(),
    minCheckpointCount: settings.getMinCheckpointCount(),
    maxCheckpointCount: settings.getMaxCheckpointCount(),
    maxSubscriberCount: settings.getMaxSubscriberCount(),
    liveBufferSize: settings.getLiveBufferSize(),
    readBatchSize: settings.getReadBatchSize(),
    historyBufferSize: settings.getHistoryBufferSize(),
    messageTimeoutMillis: settings.hasMessageTimeoutTicks()
      ? numberOf(settings.getMessageTimeoutTicks()) / TICKS_PER_MILLI
      : settings.getMessageTimeoutMs(),
    checkpointAfterMillis: settings.hasCheckpointAfterTicks()
      ? numberOf(settings.getCheckpointAfterTicks()) / TICKS_PER_MILLI
      : settings.getCheckpointAfterMs(),
    strategy: strategies[settings.getNamedConsumerStrategy()] ?? "RoundRobin",
  }
}
