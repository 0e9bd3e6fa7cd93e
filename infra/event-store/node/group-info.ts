/** What a group tells of itself. */
import persistent from "@eventstore/db-client/generated/persistent_pb.js"
import type { Consumer } from "./consumer.ts"
import { wantedBy } from "./filter.ts"
import type { OpenGroup } from "./group.ts"
import { ALL, type GroupSettings } from "./group-settings.ts"
import type { Reader } from "./reader.ts"
import type { Tail } from "./tail.ts"

/** The backlog is counted no further than this. */
const COUNT_AT_MOST = 1000

const placeText = (source: string, place: number) => {
  if (place < 0) return ""
  return source === ALL ? `C:${place}/P:${place}` : String(place)
}

const startText = ({ source, startFrom }: GroupSettings) => {
  const place = startFrom === "end" ? -1 : startFrom
  return source === ALL ? `C:${place}/P:${place}` : String(place)
}

const connectionOf = (consumer: Consumer) => {
  const connection = new persistent.SubscriptionInfo.ConnectionInfo()
  connection.setFrom(consumer.peer)
  connection.setUsername("anonymous")
  connection.setConnectionName(consumer.connectionName)
  connection.setTotalItems(String(consumer.total))
  connection.setCountSinceLastMeasurement("0")
  connection.setInFlightMessages(consumer.inFlight)
  connection.setAvailableSlots(consumer.capacity - consumer.inFlight)
  return connection
}

export const openGroupInfo = (reader: Reader, tail: Tail) => {
  const lastKnown = (source: string) =>
    source === ALL ? tail.end() : (reader.head(source)?.last ?? -1)

  const unread = ({ source, filter }: GroupSettings, readTo: number) => {
    if (source !== ALL) return Math.max(0, lastKnown(source) - readTo)
    const ahead = tail.after(readTo, COUNT_AT_MOST)
    return filter === null ? ahead.length : ahead.filter(wantedBy(filter)).length
  }

  return ({ settings, state }: OpenGroup) => {
    const now = state()
    const { source } = settings
    const info = new persistent.SubscriptionInfo()
    info.setEventSource(source)
    info.setGroupName(settings.name)
    info.setStatus("Live")
    info.setConnectionsList(now.consumers.map(connectionOf))
    info.setAveragePerSecond(0)
    info.setTotalItems(String(now.total))
    info.setCountSinceLastMeasurement("0")
    info.setLastCheckpointedEventPosition(placeText(source, now.checkpoint))
    info.setLastKnownEventPosition(placeText(source, lastKnown(source)))
    info.setResolveLinkTos(settings.resolveLinks)
    info.setStartFrom(startText(settings))
    info.setMessageTimeoutMilliseconds(settings.messageTimeoutMillis)
    info.setExtraStatistics(settings.extraStatistics)
    info.setMaxRetryCount(settings.maxRetryCount)
    info.setLiveBufferSize(settings.liveBufferSize)
    info.setBufferSize(settings.historyBufferSize)
    info.setReadBatchSize(settings.readBatchSize)
    info.setCheckPointAfterMilliseconds(settings.checkpointAfterMillis)
    info.setMinCheckPointCount(settings.minCheckpointCount)
    info.setMaxCheckPointCount(settings.maxCheckpointCount)
    info.setReadBufferCount(now.ready)
    info.setLiveBufferCount(String(unread(settings, now.readTo)))
    info.setRetryBufferCount(now.retrying)
    info.setTotalInFlightMessages(now.inFlight)
    info.setOutstandingMessagesCount(now.outstanding)
    info.setNamedConsumerStrategy(settings.strategy)
    info.setMaxSubscriberCount(settings.maxSubscriberCount)
    info.setParkedMessageCount(String(now.parked))
    return info
  }
}
