/** Competing consumers: persistent subscriptions to `$all`. */
import {
  AccessDeniedError,
  BACKWARDS,
  END,
  type EventStoreDBClient,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToAllSettings,
  persistentSubscriptionToAllSettingsFromDefaults,
  type PersistentSubscriptionToAllResolvedEvent as ResolvedDelivery,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
} from "@eventstore/db-client"
import { Effect, Stream } from "effect"
import { clientFilter } from "./eventstoredb-followers.ts"
import {
  asking,
  fromReadable,
  isMissing,
  patiently,
  recordedFrom,
  unavailable,
} from "./eventstoredb-translate.ts"
import type {
  Delivery,
  EventStore,
  EventStoreUnavailable,
  Group,
  GroupState,
  ParkedDelivery,
} from "./port.ts"
import { ATTEMPT, untilItIsBack } from "./resubscribing.ts"

type Port = EventStore["Service"]

const settingsOf = (group: Group): PersistentSubscriptionToAllSettings =>
  persistentSubscriptionToAllSettingsFromDefaults({
    startFrom: START,
    maxRetryCount: group.maxRetryCount,
    messageTimeout: group.messageTimeoutMillis,
  })

/** The link tells why; how often it was tried only our own node writes down. */
const parkedFrom = (resolved: ResolvedEvent): ParkedDelivery | undefined => {
  const recorded = resolved.link && recordedFrom(resolved)
  const { reason, tries }: Record<string, unknown> = { ...resolved.link?.metadata }
  return (
    recorded && {
      recorded,
      tries: typeof tries === "number" ? tries : 0,
      reason: typeof reason === "string" ? reason : "",
    }
  )
}

const isDelivery = (delivery: Delivery | undefined): delivery is Delivery => delivery !== undefined

export const groups = (client: EventStoreDBClient) => {
  const state = (name: string) => asking(() => client.getPersistentSubscriptionToAllInfo(name))

  /** Only a change is an update: an update drops everybody who has joined. */
  const ensure = Effect.fn("EventStore.ensureGroup")(function* (group: Group) {
    const settings = settingsOf(group)
    const { name } = group
    const known = yield* state(name).pipe(
      Effect.catchIf(
        (failure) => isMissing(failure, "persistent-subscription-does-not-exist"),
        () => Effect.succeed(undefined),
      ),
    )
    if (known === undefined)
      return yield* asking(() =>
        client.createPersistentSubscriptionToAll(name, settings, {
          filter: clientFilter(group.filter),
        }),
      ).pipe(
        Effect.catchIf(
          (failure) => isMissing(failure, "persistent-subscription-exists"),
          () => Effect.void,
        ),
      )
    const isSame =
      known.settings.maxRetryCount === settings.maxRetryCount &&
      known.settings.messageTimeout === settings.messageTimeout
    if (!isSame) yield* asking(() => client.updatePersistentSubscriptionToAll(name, settings))
  })

  /** An answer on a subscription that was lost may wait for ever. */
  const answering = (answer: () => Promise<void>) =>
    asking(answer).pipe(
      Effect.timeoutOrElse({
        duration: ATTEMPT,
        orElse: () => Effect.fail(unavailable("the subscription was lost")),
      }),
    )

  const deliveryOf = (
    subscription: PersistentSubscriptionToAll,
    resolved: ResolvedDelivery,
  ): Delivery | undefined => {
    const recorded = recordedFrom(resolved)
    return (
      recorded && {
        recorded,
        retryCount: resolved.retryCount,
        ack: answering(() => subscription.ack(resolved)),
        retry: (reason) => answering(() => subscription.nack("retry", reason, resolved)),
        park: (reason) => answering(() => subscription.nack("park", reason, resolved)),
      }
    )
  }

  const join = (group: Group, buffer: number): Stream.Stream<Delivery, EventStoreUnavailable> =>
    Stream.suspend(() => {
      const subscription = client.subscribeToPersistentSubscriptionToAll(group.name, {
        bufferSize: buffer,
      })
      return fromReadable<PersistentSubscriptionToAll, ResolvedDelivery>(
        () => subscription,
        () => subscription.unsubscribe(),
      ).pipe(
        Stream.map((resolved) => deliveryOf(subscription, resolved)),
        Stream.filter(isDelivery),
        Stream.concat(Stream.fail(unavailable("the subscription ended"))),
      )
    })

  const consume: Port["consume"] = (group, buffer) =>
    Stream.unwrap(Effect.as(ensure(group), join(group, buffer))).pipe(
      Stream.retry(untilItIsBack),
      Stream.orDie,
    )

  const groupState: Port["groupState"] = (name) =>
    patiently(
      state(name).pipe(
        Effect.map(
          ({ stats, connections }): GroupState => ({
            name,
            backlog: stats.readBufferCount + Number(stats.liveBufferCount) + stats.retryBufferCount,
            inFlight: stats.totalInFlightMessages,
            parked: Number(stats.parkedMessageCount),
            connections: connections.length,
          }),
        ),
        Effect.catchIf(
          (failure) => isMissing(failure, "persistent-subscription-does-not-exist"),
          () => Effect.succeed(undefined),
        ),
      ),
    )

  const parkedOf: Port["parkedOf"] = (name, most) =>
    fromReadable<ReturnType<typeof client.readStream>, ResolvedEvent>(
      () =>
        client.readStream(`$persistentsubscription-$all::${name}-parked`, {
          direction: BACKWARDS,
          fromRevision: END,
          maxCount: most,
          resolveLinkTos: true,
        }),
      (reading) => reading.cancel(),
    ).pipe(
      Stream.map(parkedFrom),
      Stream.filter((parked) => parked !== undefined),
      Stream.runCollect,
      Effect.catchIf(
        // Nothing was ever parked, or only an operator may know.
        ({ cause }) => cause instanceof StreamNotFoundError || cause instanceof AccessDeniedError,
        () => Effect.succeed([]),
      ),
      patiently,
    )

  const replayParked: Port["replayParked"] = (name) =>
    patiently(asking(() => client.replayParkedMessagesToAll(name)))

  return { consume, groupState, parkedOf, replayParked }
}
