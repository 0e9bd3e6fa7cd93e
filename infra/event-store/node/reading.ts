/** The `Read` call: a page of a stream or of the log, or a subscription to either. */

import type streams from "@eventstore/db-client/generated/streams_pb.js"
import type { ServerWritableStream } from "@grpc/grpc-js"
import { aMoment, endOf, failureOf, send, sendAll } from "./calls.ts"
import { type Cursor, logCursor, numberOf, PAGE, type Page, streamCursor } from "./cursor.ts"
import {
  caughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvent,
  encodeStreamNotFound,
  type Resolved,
} from "./encode.ts"
import { badRequest, streamDeleted, unavailable } from "./failures.ts"
import { everything, filterRequestOf, type Wanted, wantedBy } from "./filter.ts"
import { isSoftlyDeleted, type Reader, type StreamHead } from "./reader.ts"
import { LINK_TYPE, linkTarget, type Stored } from "./record.ts"
import type { Tail } from "./tail.ts"
import { nameOf } from "./wire.ts"

type Call = ServerWritableStream<streams.ReadReq, Buffer>
type Options = streams.ReadReq.Options

const DEFAULT_WINDOW = 32
/** A subscriber whose events do not come still hears this soon how far the log was read. */
const CHECKPOINT_WITHIN_MILLIS = 250

const filterOf = (options: Options): Wanted => {
  const filter = options.getFilter()
  if (filter === undefined) return everything
  try {
    return wantedBy(filterRequestOf(filter))
  } catch (cause) {
    throw badRequest(String(cause))
  }
}

export const resolverOf =
  (reader: Reader) =>
  (event: Stored): Resolved => {
    if (event.type !== LINK_TYPE) return { event }
    const { stream, revision } = linkTarget(event)
    return { event: reader.at(stream, revision), link: event }
  }

/** A reader learns of a tombstone by its call's failure. */
const refuse = (stream: string) => {
  throw streamDeleted(stream)
}

const asItIs = (event: Stored): Resolved => ({ event })

export const openReading = (reader: Reader, tail: Tail, stopping: AbortSignal) => {
  const followLinks = resolverOf(reader)

  const sendPages = async (call: Call, options: Options, next: (count: number) => Page) => {
    const signal = endOf(call)
    const resolve = options.getResolveLinks() ? followLinks : asItIs
    let remaining = numberOf(options.getCount())
    while (remaining > 0 && !signal.aborted) {
      const { events, scanned } = next(Math.min(PAGE, remaining))
      if (scanned === 0) break
      remaining -= events.length
      await sendAll(
        call,
        events.map((event) => encodeEvent(resolve(event))),
        signal,
      )
      await aMoment()
    }
    call.end()
  }

  const backwardsFrom = (
    page: (at: number, count: number) => ReadonlyArray<Stored>,
    from: number,
    key: (event: Stored) => number,
    isWanted: Wanted,
  ) => {
    let at = from
    return (count: number): Page => {
      const scanned = page(at, count)
      const last = scanned.at(-1)
      at = last === undefined ? at : key(last)
      return { events: scanned.filter(isWanted), scanned: scanned.length }
    }
  }

  const readLog = (call: Call, options: Options) => {
    const all = options.getAll()
    const isWanted = filterOf(options)
    const position = all?.getPosition()
    const given = position && numberOf(position.getCommitPosition())
    if (options.getReadDirection() === 0) {
      const after = all?.hasEnd() ? tail.end() : (given ?? 0) - 1
      return sendPages(call, options, logCursor(tail, after, isWanted).next)
    }
    const before = all?.hasStart() ? 0 : (given ?? Number.MAX_SAFE_INTEGER)
    return sendPages(
      call,
      options,
      backwardsFrom(reader.before, before, ({ position }) => position, isWanted),
    )
  }

  const existing = (stream: string): StreamHead | undefined => {
    const head = reader.head(stream)
    if (head?.tombstoned) throw streamDeleted(stream)
    return head === undefined || head.last < 0 || isSoftlyDeleted(head) ? undefined : head
  }

  const readStream = (
    call: Call,
    options: Options,
    from: streams.ReadReq.Options.StreamOptions,
  ) => {
    const stream = nameOf(from.getStreamIdentifier())
    const head = existing(stream)
    if (head === undefined) {
      call.write(encodeStreamNotFound(stream))
      call.end()
      return
    }
    const given = from.hasRevision() ? numberOf(from.getRevision()) : undefined
    if (options.getReadDirection() === 0) {
      const after = from.hasEnd() ? head.last : (given ?? 0) - 1
      return sendPages(call, options, streamCursor(reader, stream, after, refuse).next)
    }
    const first = from.hasStart() ? 0 : (given ?? head.last)
    return sendPages(
      call,
      options,
      backwardsFrom(
        (at, count) => reader.streamBackFrom(head, at, count),
        first,
        ({ revision }) => revision - 1,
        everything,
      ),
    )
  }

  const sendForEver = async (call: Call, options: Options, cursor: Cursor) => {
    const signal = AbortSignal.any([endOf(call), stopping])
    const resolve = options.getResolveLinks() ? followLinks : asItIs
    const filter = options.getFilter()
    const interval =
      (filter?.getMax() || DEFAULT_WINDOW) * (filter?.getCheckpointintervalmultiplier() || 1)
    let isCaughtUp = false
    let unmarked = 0
    let unmarkedSince = 0
    const mark = () => {
      unmarked = 0
      return send(call, encodeCheckpoint(cursor.at()), signal)
    }

    await send(call, encodeConfirmation(crypto.randomUUID()), signal)
    while (!signal.aborted) {
      const { events, scanned } = cursor.next()
      await sendAll(
        call,
        events.map((event) => encodeEvent(resolve(event))),
        signal,
      )
      if (filter !== undefined && scanned > 0) {
        if (unmarked === 0) unmarkedSince = Date.now()
        // A checkpoint right behind an event tells nothing new.
        unmarked = events.length === scanned ? 0 : unmarked + scanned
        if (unmarked >= interval) await mark()
      }
      if (scanned > 0) {
        if (events.length === 0) await aMoment()
        continue
      }
      const isOverdue = Date.now() - unmarkedSince >= CHECKPOINT_WITHIN_MILLIS
      if (unmarked > 0 && (!isCaughtUp || isOverdue)) await mark()
      if (!isCaughtUp) {
        isCaughtUp = true
        await send(call, caughtUp, signal)
      }
      await tail.changed(signal, unmarked > 0 ? CHECKPOINT_WITHIN_MILLIS : undefined)
    }
    if (stopping.aborted) throw unavailable("the node is shutting down")
  }

  const subscribe = (call: Call, options: Options) => {
    const all = options.getAll()
    if (all !== undefined) {
      const position = all.getPosition()
      const given = position && numberOf(position.getCommitPosition())
      const after = all.hasEnd() ? tail.end() : (given ?? -1)
      return sendForEver(call, options, logCursor(tail, after, filterOf(options)))
    }
    const from = options.getStream()
    const stream = nameOf(from?.getStreamIdentifier())
    const given = from?.hasRevision() ? numberOf(from.getRevision()) : undefined
    const after = from?.hasEnd() ? (reader.head(stream)?.last ?? -1) : (given ?? -1)
    return sendForEver(call, options, streamCursor(reader, stream, after, refuse))
  }

  const answer = async (call: Call) => {
    const options = call.request.getOptions()
    if (options === undefined) throw badRequest("a read needs options")
    if (options.hasSubscription()) return subscribe(call, options)
    const stream = options.getStream()
    return stream === undefined ? readLog(call, options) : readStream(call, options, stream)
  }

  return (call: Call) => {
    answer(call).catch((cause) => call.emit("error", failureOf(cause)))
  }
}
