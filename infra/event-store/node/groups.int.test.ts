import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  DISPATCH_TO_SINGLE,
  EventStoreDBClient,
  jsonEvent,
  type PersistentSubscriptionToStream,
  PINNED,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  streamNameFilter,
} from "@eventstore/db-client"
import { spawnNode, type TestNode } from "./testing.ts"

let node: TestNode
let client: EventStoreDBClient
beforeAll(async () => {
  node = await spawnNode()
  client = EventStoreDBClient.connectionString(node.url)
})
afterAll(async () => {
  await client.dispose()
  await node.dispose()
})

const anyName = () => `test-${crypto.randomUUID()}`
const append = (stream: string, count: number) =>
  client.appendToStream(
    stream,
    Array.from({ length: count }, (_, n) => jsonEvent({ type: "Happened", data: { n } })),
  )
const fromStart = (changes = {}) =>
  persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, ...changes })

const failureOf = async (promise: Promise<unknown>) => {
  try {
    await promise
    return undefined
  } catch (cause) {
    return (cause as { type?: string }).type ?? cause
  }
}

const failed = (subscription: { once: PersistentSubscriptionToStream["once"] }) =>
  new Promise<string>((resolve) => {
    subscription.once("error", (cause: Error & { type?: string }) => resolve(cause.type ?? ""))
  })

const confirmed = (subscription: { once: PersistentSubscriptionToStream["once"] }) =>
  new Promise<void>((resolve) => {
    subscription.once("confirmation", () => resolve())
  })

/** Revisions of the first deliveries, each answered as told. */
const take = async (
  subscription: PersistentSubscriptionToStream,
  count: number,
  answer: "ack" | "skip" | "nothing" = "ack",
) => {
  const revisions: Array<number> = []
  for await (const resolved of subscription) {
    revisions.push(Number(resolved.event?.revision))
    if (answer === "ack") await subscription.ack(resolved)
    if (answer === "skip") await subscription.nack("skip", "no", resolved)
    if (revisions.length === count) break
  }
  return revisions
}

describe("a group of a stream", () => {
  test("exists once, is changed, listed and deleted", async () => {
    const [stream, group] = [anyName(), "group"]
    await client.createPersistentSubscriptionToStream(stream, group, fromStart())
    expect(
      await failureOf(client.createPersistentSubscriptionToStream(stream, group, fromStart())),
    ).toBe("persistent-subscription-exists")
    const consumer = client.subscribeToPersistentSubscriptionToStream(stream, group)
    const dropped = failed(consumer)
    await confirmed(consumer)
    await client.updatePersistentSubscriptionToStream(
      stream,
      group,
      fromStart({ maxRetryCount: 3 }),
    )
    expect(await dropped).toBe("persistent-subscription-dropped")
    const info = await client.getPersistentSubscriptionToStreamInfo(stream, group)
    expect(info).toMatchObject({
      eventSource: stream,
      groupName: group,
      settings: { maxRetryCount: 3, startFrom: START },
    })
    expect(await client.listPersistentSubscriptionsToStream(stream)).toHaveLength(1)
    await client.deletePersistentSubscriptionToStream(stream, group)
    expect(await failureOf(client.deletePersistentSubscriptionToStream(stream, group))).toBe(
      "persistent-subscription-does-not-exist",
    )
    expect(await failed(client.subscribeToPersistentSubscriptionToStream(stream, group))).toBe(
      "persistent-subscription-does-not-exist",
    )
  })

  test("begins where it was told, and skips what it is told to skip", async () => {
    const [stream, group] = [anyName(), "group"]
    await append(stream, 4)
    await client.createPersistentSubscriptionToStream(stream, group, fromStart({ startFrom: 2n }))
    const subscription = client.subscribeToPersistentSubscriptionToStream(stream, group)
    expect(await take(subscription, 2, "skip")).toEqual([2, 3])
    const { stats } = await client.getPersistentSubscriptionToStreamInfo(stream, group)
    expect(stats.parkedMessageCount).toBe(0n)
  })

  test("writes down why and after how many tries it parked an event", async () => {
    const [stream, group] = [anyName(), "group"]
    await append(stream, 1)
    await client.createPersistentSubscriptionToStream(
      stream,
      group,
      fromStart({ maxRetryCount: 2 }),
    )
    const subscription = client.subscribeToPersistentSubscriptionToStream(stream, group)
    subscription.on("data", (resolved) => subscription.nack("retry", "not yet", resolved))
    const parked = client.subscribeToStream(`$persistentsubscription-${stream}::${group}-parked`, {
      fromRevision: START,
    })
    for await (const { event } of parked) {
      expect(event?.metadata).toMatchObject({ reason: "not yet", tries: 3 })
      break
    }
    await subscription.unsubscribe()
  })

  test("turns away more consumers than it allows", async () => {
    const [stream, group] = [anyName(), "group"]
    await client.createPersistentSubscriptionToStream(
      stream,
      group,
      fromStart({ maxSubscriberCount: 1 }),
    )
    const first = client.subscribeToPersistentSubscriptionToStream(stream, group)
    await confirmed(first)
    expect(await failed(client.subscribeToPersistentSubscriptionToStream(stream, group))).toBe(
      "maximum-subscribers-reached",
    )
    await first.unsubscribe()
  })

  test("fills one consumer before the next when it dispatches to a single one", async () => {
    const [stream, group] = [anyName(), "group"]
    await client.createPersistentSubscriptionToStream(
      stream,
      group,
      fromStart({ consumerStrategyName: DISPATCH_TO_SINGLE }),
    )
    const consumers = [2, 5].map((bufferSize) =>
      client.subscribeToPersistentSubscriptionToStream(stream, group, { bufferSize }),
    )
    const [first, second] = consumers
    if (!first || !second) throw new Error("two consumers")
    await Promise.all(
      consumers.map((one) => new Promise((resolve) => one.once("confirmation", resolve))),
    )
    await append(stream, 3)
    expect(await take(first, 2, "nothing")).toEqual([0, 1])
    expect(await take(second, 1, "nothing")).toEqual([2])
    await Promise.all(consumers.map((one) => one.unsubscribe()))
  })
})

describe("a group of the log", () => {
  test("gives each stream to one pinned consumer", async () => {
    const [prefix, group] = [anyName(), anyName()]
    await client.createPersistentSubscriptionToAll(
      group,
      persistentSubscriptionToAllSettingsFromDefaults({
        startFrom: START,
        consumerStrategyName: PINNED,
      }),
      { filter: streamNameFilter({ prefixes: [prefix] }) },
    )
    const owners = new Map<string, Set<number>>()
    let seen = 0
    const all = Promise.withResolvers<void>()
    const consumers = [0, 1].map((index) => {
      const subscription = client.subscribeToPersistentSubscriptionToAll(group, { bufferSize: 2 })
      subscription.on("data", (resolved) => {
        const stream = resolved.event?.streamId ?? ""
        owners.set(stream, (owners.get(stream) ?? new Set()).add(index))
        seen += 1
        if (seen === 40) all.resolve()
        void subscription.ack(resolved)
      })
      return subscription
    })
    await Promise.all(
      consumers.map((one) => new Promise((resolve) => one.once("confirmation", resolve))),
    )
    await Promise.all(Array.from({ length: 10 }, (_, n) => append(`${prefix}-${n}`, 4)))
    await all.promise
    expect([...owners.values()].every((indices) => indices.size === 1)).toBe(true)
    expect(new Set([...owners.values()].flatMap((indices) => [...indices])).size).toBe(2)
    await Promise.all(consumers.map((one) => one.unsubscribe()))
  })

  test("goes on after its checkpoint when the node was stopped in order", async () => {
    const [stream, group] = [anyName(), anyName()]
    await append(stream, 3)
    await client.createPersistentSubscriptionToAll(
      group,
      persistentSubscriptionToAllSettingsFromDefaults({ startFrom: START }),
      { filter: streamNameFilter({ prefixes: [stream] }) },
    )
    const first = client.subscribeToPersistentSubscriptionToAll(group)
    expect(await take(first as unknown as PersistentSubscriptionToStream, 3)).toEqual([0, 1, 2])
    const unanswered = async () =>
      (await client.getPersistentSubscriptionToAllInfo(group)).stats.outstandingMessagesCount
    while ((await unanswered()) > 0) await Bun.sleep(5)
    expect(await node.kill("SIGTERM")).toBe(0)
    await node.start()
    const later = EventStoreDBClient.connectionString(node.url)
    await later.appendToStream(stream, jsonEvent({ type: "Happened", data: {} }))
    const second = later.subscribeToPersistentSubscriptionToAll(group)
    expect(await take(second as unknown as PersistentSubscriptionToStream, 1)).toEqual([3])
    await later.dispose()
  })
})
