/** An event store inside the process: one array is the log. For tests. */
import { Effect, Layer, Stream, SubscriptionRef } from "effect"
import { writeEvent } from "#domain/events.ts"
import { isAfter } from "#domain/ids.ts"
import { memoryGroups } from "./memory-groups.ts"
import {
  type Appended,
  EventStore,
  type Expected,
  type Filter,
  type NewEvent,
  type News,
  type Recorded,
  RevisionConflict,
  type StreamLimits,
} from "./port.ts"
import { recordedOf } from "./stored.ts"

type Port = EventStore["Service"]

/** Positions have gaps, as the real ones do. */
const STRIDE = 128

const matches =
  ({ streams, types }: Filter) =>
  ({ stream, event }: Recorded) => {
    const type = event._tag === "Unreadable" ? event.type : event._tag
    if (streams !== undefined) return streams.some((prefix) => stream.startsWith(prefix))
    return types === undefined || types.some((prefix) => type.startsWith(prefix))
  }

const appendedOf = ({ revision, position }: Recorded): Appended => ({ revision, position })

/** What a repeated append answered the first time; `conflict` when it is another one. */
const earlier = (
  history: ReadonlyArray<Recorded>,
  expected: Expected,
  events: ReadonlyArray<NewEvent>,
): Appended | "new" | "conflict" => {
  const last = history.length - 1
  if (expected === "any") {
    const found = events.map(({ id }) => history.findLast((recorded) => recorded.id === id))
    const newest = found.at(-1)
    if (newest !== undefined && found.every((recorded) => recorded !== undefined))
      return appendedOf(newest)
    return found[0] === undefined ? "new" : "conflict"
  }
  const wanted = expected === "none" ? -1 : expected
  if (wanted === last) return "new"
  const there = history.slice(wanted + 1, wanted + 1 + events.length)
  const isSame =
    there.length === events.length && events.every(({ id }, index) => there[index]?.id === id)
  const newest = there.at(-1)
  return wanted < last && isSame && newest !== undefined ? appendedOf(newest) : "conflict"
}

export const memoryEventStore: Layer.Layer<EventStore> = Layer.effect(
  EventStore,
  Effect.gen(function* () {
    const log: Array<Recorded> = []
    const limits = new Map<string, StreamLimits>()
    const length = yield* SubscriptionRef.make(0)
    const groups = memoryGroups(log, matches)

    const of = (stream: string) => log.filter((recorded) => recorded.stream === stream)

    const visible = (stream: string) => {
      const { maxCount = Number.POSITIVE_INFINITY, maxAgeSeconds = Number.POSITIVE_INFINITY } =
        limits.get(stream) ?? {}
      const history = of(stream)
      const oldest = Date.now() - maxAgeSeconds * 1000
      return history.filter(
        ({ revision, recordedAt }) => revision >= history.length - maxCount && recordedAt >= oldest,
      )
    }

    const record = (stream: string, revision: number, { id, event, metadata }: NewEvent) => {
      const position = String((log.length + 1) * STRIDE)
      const { type, data } = JSON.parse(JSON.stringify(writeEvent(event)))
      const recordedAt = Date.now()
      log.push(recordedOf({ stream, revision, position, id, type, data, metadata, recordedAt }))
      return { revision, position }
    }

    const append: Port["append"] = Effect.fn("EventStore.append")(
      function* (stream, expected, events) {
        const history = of(stream)
        const verdict = earlier(history, expected, events)
        if (verdict === "conflict")
          return yield* new RevisionConflict({ stream, expected, actual: history.length - 1 })
        if (verdict !== "new") return verdict
        let appended: Appended = { revision: history.length - 1, position: positionOfEnd() }
        for (const event of events) appended = record(stream, appended.revision + 1, event)
        yield* SubscriptionRef.set(length, log.length)
        groups.wake()
        return appended
      },
    )

    const positionOfEnd = () => log.at(-1)?.position ?? "0"

    const read: Port["read"] = (stream, { from, backwards = false, maxCount } = {}) =>
      Effect.sync(() => {
        const history = visible(stream).filter(
          ({ revision }) => from === undefined || (backwards ? revision <= from : revision >= from),
        )
        return (backwards ? history.reverse() : history).slice(0, maxCount)
      })

    const indexAfter = (position: string | undefined) => {
      if (position === undefined) return 0
      const index = log.findIndex((recorded) => isAfter(recorded.position, position))
      return index < 0 ? log.length : index
    }

    const readAll: Port["readAll"] = ({ after, filter = {} } = {}) =>
      Stream.suspend(() =>
        Stream.fromIterable(log.slice(indexAfter(after)).filter(matches(filter))),
      )

    const newsBetween = (from: number, to: number, isWanted: (recorded: Recorded) => boolean) => {
      const read = log.slice(from, to)
      const news: Array<News> = read
        .filter(isWanted)
        .map((recorded) => ({ _tag: "Event", recorded }))
      const last = read.at(-1)
      if (last !== undefined && !isWanted(last))
        news.push({ _tag: "Checkpoint", position: last.position })
      return news
    }

    const follow: Port["follow"] = ({ after, filter = {} }) =>
      Stream.suspend(() => {
        const isWanted = matches(filter)
        let seen = after === "end" ? log.length : indexAfter(after)
        let isCaughtUp = false
        return SubscriptionRef.changes(length).pipe(
          Stream.map(() => {
            const news = newsBetween(seen, log.length, isWanted)
            seen = log.length
            if (!isCaughtUp) news.push({ _tag: "CaughtUp" })
            isCaughtUp = true
            return news
          }),
          Stream.flattenIterable,
        )
      })

    const followStream: Port["followStream"] = (stream, from = 0) =>
      Stream.suspend(() => {
        let next = from
        return SubscriptionRef.changes(length).pipe(
          Stream.map(() => {
            const fresh = visible(stream).filter(({ revision }) => revision >= next)
            next = Math.max(next, (fresh.at(-1)?.revision ?? -1) + 1)
            return fresh
          }),
          Stream.flattenIterable,
        )
      })

    const { consume, groupState, parkedOf, replayParked } = groups
    return EventStore.of({
      append,
      read,
      readAll,
      follow,
      followStream,
      consume,
      groupState,
      parkedOf,
      replayParked,
      limit: (stream, limit) => Effect.sync(() => limits.set(stream, limit)),
      end: Effect.sync(positionOfEnd),
    })
  }),
)
