/**
 * A group at work. It reads on only while a consumer has room, so it holds no more than what is in flight, waits for a
 * retry, or waits for its pinned consumer. The checkpoint stays below the lowest event nobody has answered for.
 */
import type { ServiceError } from "@grpc/grpc-js"
import { type Consumer, choose, hasRoom } from "./consumer.ts"
import type { Cursor } from "./cursor.ts"
import { encodeEvent, type Resolved } from "./encode.ts"
import { ALL, type GroupSettings } from "./group-settings.ts"
import type { Parking } from "./parking.ts"
import type { Stored } from "./record.ts"
import type { Tail } from "./tail.ts"

/** An event that was read and not yet answered for. */
interface Outstanding {
  readonly source: Stored
  readonly resolved: Resolved
  readonly retryCount: number
  /** Its place in the parked stream, when it is delivered again from there. */
  readonly parkedAt: number | undefined
}

interface Flight {
  readonly outstanding: Outstanding
  readonly consumer: Consumer
  readonly deadline: number
}

/** An unpopular filter moves the checkpoint too. */
const SAVE_AFTER_SCANNED = 1000

export interface GroupParts {
  readonly settings: GroupSettings
  readonly cursor: Cursor
  readonly tail: Tail
  readonly parking: Parking
  readonly resolve: (event: Stored) => Resolved
  readonly save: (checkpoint: number) => Promise<void>
}

export const openGroup = ({ settings, cursor, tail, parking, resolve, save }: GroupParts) => {
  const consumers: Array<Consumer> = []
  const inFlight = new Map<string, Flight>()
  const unanswered = new Set<Outstanding>()
  let retrying: Array<Outstanding> = []
  let ready: Array<Outstanding> = []
  let following: AbortController | undefined
  let expiry: Timer | undefined
  let saving: Timer | undefined
  let unsaved = 0
  let scannedUnsaved = 0
  let saved = cursor.at()
  let total = 0

  const placeOf = ({ position, revision }: Stored) =>
    settings.source === ALL ? position : revision

  const checkpoint = () => {
    let lowest = cursor.at() + 1
    for (const { source, parkedAt } of unanswered)
      if (parkedAt === undefined) lowest = Math.min(lowest, placeOf(source))
    return lowest - 1
  }

  const saveNow = async () => {
    clearTimeout(saving)
    saving = undefined
    const place = checkpoint()
    unsaved = 0
    scannedUnsaved = 0
    if (place <= saved) return
    const before = saved
    saved = place
    try {
      await save(place)
    } catch {
      // The disk would not take it: the next progress saves again, and until then redelivery is harmless.
      saved = before
    }
  }

  const progressed = () => {
    unsaved += 1
    if (unsaved >= settings.maxCheckpointCount && settings.maxCheckpointCount > 0) void saveNow()
    else saving ??= setTimeout(saveNow, settings.checkpointAfterMillis)
  }

  const land = (id: string): Outstanding | undefined => {
    const flight = inFlight.get(id)
    if (flight === undefined) return undefined
    inFlight.delete(id)
    flight.consumer.inFlight -= 1
    return flight.outstanding
  }

  const finish = (outstanding: Outstanding) => {
    unanswered.delete(outstanding)
    if (outstanding.parkedAt !== undefined) parking.answered(outstanding.parkedAt)
    progressed()
  }

  const park = (outstanding: Outstanding, reason: string) => {
    parking.park(outstanding.source, reason, outstanding.retryCount + 1).then(
      () => finish(outstanding),
      // The disk is full, say: better delivered again than forgotten.
      () => {
        retrying.push(outstanding)
      },
    )
  }

  const retry = (outstanding: Outstanding, reason: string) => {
    if (outstanding.retryCount >= settings.maxRetryCount) return park(outstanding, reason)
    unanswered.delete(outstanding)
    const again = { ...outstanding, retryCount: outstanding.retryCount + 1 }
    unanswered.add(again)
    retrying.push(again)
  }

  const expire = () => {
    expiry = undefined
    const now = Date.now()
    for (const [id, { deadline }] of inFlight) {
      if (deadline > now) break
      const outstanding = land(id)
      if (outstanding !== undefined) retry(outstanding, "the consumer did not answer in time")
    }
    pump()
  }

  /** Flights are in the order of their deadlines, so one timer will do. */
  const watchExpiry = () => {
    const [first] = inFlight.values()
    if (settings.messageTimeoutMillis === 0 || first === undefined || expiry !== undefined) return
    expiry = setTimeout(expire, Math.max(1, first.deadline - Date.now()))
  }

  const deliver = (outstanding: Outstanding, consumer: Consumer) => {
    const { source, resolved, retryCount } = outstanding
    const deadline = Date.now() + settings.messageTimeoutMillis
    inFlight.set(source.id, { outstanding, consumer, deadline })
    consumer.inFlight += 1
    consumer.total += 1
    total += 1
    consumer.write(encodeEvent(resolved, retryCount))
  }

  /** Delivers what it can; answers what has to wait. */
  const deliverAll = (waiting: ReadonlyArray<Outstanding>) =>
    waiting.filter((outstanding) => {
      // The same id may stand in two streams; a consumer can only answer for one at a time.
      if (inFlight.has(outstanding.source.id)) return true
      const consumer = choose(settings.strategy, consumers, outstanding.source)
      if (consumer === undefined) return true
      deliver(outstanding, consumer)
      return false
    })

  const take = (source: Stored, parkedAt?: number): Outstanding => {
    const resolved = settings.resolveLinks ? resolve(source) : { event: source }
    const outstanding = { source, resolved, retryCount: 0, parkedAt }
    unanswered.add(outstanding)
    return outstanding
  }

  const room = () =>
    consumers.reduce((sum, consumer) => sum + consumer.capacity - consumer.inFlight, 0)

  /** Reads on; false when there is nothing more. */
  const readOn = (): boolean => {
    const parked = parking.take()
    if (parked !== undefined) {
      ready.push(take(parked.event, parked.parkedAt))
      return true
    }
    const { events, scanned } = cursor.next(Math.max(1, Math.min(room(), 128)))
    ready.push(...events.map((event) => take(event)))
    scannedUnsaved += scanned
    if (scannedUnsaved >= SAVE_AFTER_SCANNED) progressed()
    return scanned > 0
  }

  const pump = () => {
    retrying = deliverAll(retrying)
    ready = deliverAll(ready)
    while (consumers.some(hasRoom) && ready.length < Math.max(1, settings.historyBufferSize)) {
      if (!readOn()) break
      if (ready.length === 0) {
        // Nothing wanted in this page: let others work before the next.
        setImmediate(pump)
        break
      }
      ready = deliverAll(ready)
    }
    watchExpiry()
  }

  const followLog = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      pump()
      await tail.changed(signal)
    }
  }

  const leave = (consumer: Consumer) => {
    const index = consumers.indexOf(consumer)
    if (index < 0) return
    consumers.splice(index, 1)
    for (const [id, flight] of inFlight) {
      if (flight.consumer !== consumer) continue
      inFlight.delete(id)
      retry(flight.outstanding, "the consumer went away")
    }
    if (consumers.length === 0) {
      following?.abort()
      following = undefined
    }
    pump()
  }

  const join = (consumer: Consumer) => {
    consumers.push(consumer)
    if (following !== undefined) return pump()
    following = new AbortController()
    void followLog(following.signal)
  }

  const answer = (ids: ReadonlyArray<string>, decide: (outstanding: Outstanding) => void) => {
    for (const id of ids) {
      const outstanding = land(id)
      if (outstanding !== undefined) decide(outstanding)
    }
    pump()
  }

  const close = (failure: ServiceError) => {
    for (const consumer of consumers.splice(0)) consumer.end(failure)
    following?.abort()
    following = undefined
    clearTimeout(expiry)
    clearTimeout(saving)
    return checkpoint()
  }

  return {
    settings,
    join,
    leave,
    isFull: () =>
      settings.maxSubscriberCount > 0 && consumers.length >= settings.maxSubscriberCount,
    ack: (ids: ReadonlyArray<string>) => answer(ids, finish),
    retry: (ids: ReadonlyArray<string>, reason: string) =>
      answer(ids, (outstanding) => retry(outstanding, reason)),
    park: (ids: ReadonlyArray<string>, reason: string) =>
      answer(ids, (outstanding) => park(outstanding, reason)),
    replayParked: (stopAt?: number) => {
      parking.replay(stopAt)
      pump()
    },
    saveNow,
    close,
    state: () => ({
      consumers: [...consumers],
      inFlight: inFlight.size,
      retrying: retrying.length,
      ready: ready.length,
      outstanding: unanswered.size,
      parked: parking.count(),
      checkpoint: checkpoint(),
      readTo: cursor.at(),
      total,
    }),
  }
}

export type OpenGroup = ReturnType<typeof openGroup>
