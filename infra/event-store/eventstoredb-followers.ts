/**
 * Following the log or one stream. Checkpoints and the news that all has been delivered are pushed into the subscription
 * itself, where they keep their place between the events: as callbacks they would overtake events that are
 * still waiting to be read.
 */
import {
  type AllStreamResolvedEvent,
  type Filter as ClientFilter,
  type EventStoreDBClient,
  eventTypeFilter,
  type ResolvedEvent,
  START,
  streamNameFilter,
} from "@eventstore/db-client"
import { Effect, Stream } from "effect"
import { fromReadable, isRecorded, recordedFrom, unavailable } from "./eventstoredb-translate.ts"
import type { EventStore, EventStoreUnavailable, Filter, News } from "./port.ts"
import { untilItIsBack } from "./resubscribing.ts"

type Port = EventStore["Service"]

/** What comes out of a subscription: the client's events, and what we push between them. */
type Item = AllStreamResolvedEvent | News

/** Leaves the store's own events to the store. */
const ofPeople = "^[^$].*"

/** Checkpoints every 32 events that were looked at. */
const options = (checkpointReached?: NonNullable<ClientFilter["checkpointReached"]>) => ({
  maxSearchWindow: 32,
  checkpointInterval: 1,
  ...(checkpointReached && { checkpointReached }),
})

export const clientFilter = (
  { streams, types }: Filter = {},
  checkpointReached?: NonNullable<ClientFilter["checkpointReached"]>,
): ClientFilter => {
  if (streams !== undefined)
    return streamNameFilter({ prefixes: [...streams], ...options(checkpointReached) })
  return types === undefined
    ? eventTypeFilter({ regex: ofPeople, ...options(checkpointReached) })
    : eventTypeFilter({ prefixes: [...types], ...options(checkpointReached) })
}

const positionOf = (after: string | undefined) =>
  after === undefined || after === "0" ? START : { commit: BigInt(after), prepare: BigInt(after) }

const newsOf = (item: Item): News | undefined => {
  if ("_tag" in item) return item
  const recorded = recordedFrom(item)
  return recorded && { _tag: "Event", recorded }
}

const isNews = (news: News | undefined): news is News => news !== undefined

/** A subscription only ends by being lost. */
const lost = Stream.fail(unavailable("the subscription ended"))

export const followers = (client: EventStoreDBClient, end: Port["end"]) => {
  /** One subscription, until it is lost. */
  const news = (
    after: string | undefined,
    filter: Filter | undefined,
  ): Stream.Stream<News, EventStoreUnavailable> =>
    fromReadable<ReturnType<typeof client.subscribeToAll>, Item>(
      () => {
        const subscription = client.subscribeToAll({
          fromPosition: positionOf(after),
          filter: clientFilter(filter, (_, { commit }) => {
            subscription.push({ _tag: "Checkpoint", position: String(commit) })
          }),
        })
        subscription.on("caughtUp", () => {
          subscription.push({ _tag: "CaughtUp" })
        })
        return subscription
      },
      (subscription) => subscription.unsubscribe(),
    ).pipe(Stream.map(newsOf), Stream.filter(isNews), Stream.concat(lost))

  const follow: Port["follow"] = ({ after, filter }) =>
    Stream.unwrap(
      Effect.gen(function* () {
        // Resolved once: events between a lost subscription "from now" and the next one must not be missed.
        let position =
          after === "end" ? yield* end.pipe(Effect.retry(untilItIsBack), Effect.orDie) : after
        let isCaughtUp = false
        const remember = (item: News) => {
          if (item._tag === "Event") position = item.recorded.position
          if (item._tag === "Checkpoint") position = item.position
          return item
        }
        const isNew = (item: News) => {
          if (item._tag !== "CaughtUp") return true
          const isFirst = !isCaughtUp
          isCaughtUp = true
          return isFirst
        }
        return Stream.suspend(() => news(position, filter)).pipe(
          Stream.map(remember),
          Stream.filter(isNew),
          Stream.retry(untilItIsBack),
          Stream.orDie,
        )
      }),
    )

  const readAll: Port["readAll"] = ({ after, filter } = {}) =>
    news(after, filter).pipe(
      Stream.takeUntil(({ _tag }) => _tag === "CaughtUp"),
      Stream.map((item) => (item._tag === "Event" ? item.recorded : undefined)),
      Stream.filter(isRecorded),
    )

  const followStream: Port["followStream"] = (stream, from = 0) =>
    Stream.suspend(() => {
      let next = from
      return Stream.suspend(() =>
        fromReadable<ReturnType<typeof client.subscribeToStream>, ResolvedEvent>(
          () =>
            client.subscribeToStream(stream, {
              fromRevision: next === 0 ? START : BigInt(next - 1),
            }),
          (subscription) => subscription.unsubscribe(),
        ),
      ).pipe(
        Stream.map((resolved) => {
          const recorded = recordedFrom(resolved)
          if (recorded !== undefined) next = recorded.revision + 1
          return recorded
        }),
        Stream.filter(isRecorded),
        Stream.concat(lost),
        Stream.retry(untilItIsBack),
        Stream.orDie,
      )
    })

  return { follow, readAll, followStream }
}
