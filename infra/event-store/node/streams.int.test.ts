import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import {
  type AppendToStreamOptions,
  BACKWARDS,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  type Filter,
  jsonEvent,
  NO_STREAM,
  STREAM_EXISTS,
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

const anyStream = () => `test-${crypto.randomUUID()}`
const event = (type = "Happened") => jsonEvent({ type, data: { at: 1 } })
const append = (stream: string, count = 1, options: AppendToStreamOptions = {}) =>
  client.appendToStream(
    stream,
    Array.from({ length: count }, () => event()),
    options,
  )

const revisionsOf = async (
  reading: AsyncIterable<{ event?: { revision: bigint } | undefined }>,
) => {
  const revisions: Array<number> = []
  for await (const { event } of reading) revisions.push(Number(event?.revision))
  return revisions
}

/** What a promise failed with; settled before it is looked at. */
const failureOf = async (promise: Promise<unknown>) => {
  try {
    await promise
    return undefined
  } catch (cause) {
    return (cause as { type?: string }).type ?? cause
  }
}

/** Credentials make the client take `Append` instead of `BatchAppend`. */
const alone = { credentials: { username: "a", password: "b" } }

describe.each([
  ["BatchAppend", {}],
  ["Append", alone],
])("%s", (_, how) => {
  test("writes for every kind of expectation", async () => {
    const stream = anyStream()
    expect(await failureOf(append(stream, 1, { ...how, expectedRevision: STREAM_EXISTS }))).toBe(
      "wrong-expected-version",
    )
    const first = await append(stream, 2, { ...how, expectedRevision: NO_STREAM })
    expect(first).toMatchObject({ success: true, nextExpectedRevision: 1n })
    const second = await append(stream, 1, { ...how, expectedRevision: STREAM_EXISTS })
    expect(second.nextExpectedRevision).toBe(2n)
    expect((await append(stream, 1, { ...how, expectedRevision: 2n })).nextExpectedRevision).toBe(
      3n,
    )
    expect(await failureOf(append(stream, 1, { ...how, expectedRevision: 2n }))).toBe(
      "wrong-expected-version",
    )
  })

  test("refuses more than a mebibyte, and writes nothing of it", async () => {
    const stream = anyStream()
    const large = jsonEvent({ type: "Large", data: { text: "x".repeat(600_000) } })
    expect(
      await failureOf(
        client.appendToStream(stream, [large, event(), { ...large, id: crypto.randomUUID() }], how),
      ),
    ).toBe("maximum-append-size-exceeded")
    expect(await failureOf(revisionsOf(client.readStream(stream)))).toBe("stream-not-found")
  })

  test("refuses a stream with a tombstone", async () => {
    const stream = anyStream()
    await append(stream, 1, how)
    await client.tombstoneStream(stream)
    expect(await failureOf(append(stream, 1, how))).toBe("stream-deleted")
  })
})

describe("a stream", () => {
  test("that was deleted is not found, and begins again after its last revision", async () => {
    const stream = anyStream()
    await append(stream, 3)
    expect(await failureOf(client.deleteStream(stream, { expectedRevision: 9n }))).toBe(
      "wrong-expected-version",
    )
    await client.deleteStream(stream)
    expect(await failureOf(revisionsOf(client.readStream(stream)))).toBe("stream-not-found")
    const again = await append(stream, 2, { expectedRevision: NO_STREAM })
    expect(again.nextExpectedRevision).toBe(4n)
    expect(await revisionsOf(client.readStream(stream))).toEqual([3, 4])
    expect((await client.getStreamMetadata(stream)).metadata).toMatchObject({ truncateBefore: 3 })
  })

  test("with a tombstone is gone for good", async () => {
    const stream = anyStream()
    await append(stream)
    await client.tombstoneStream(stream)
    expect(await failureOf(revisionsOf(client.readStream(stream)))).toBe("stream-deleted")
    expect(await failureOf(client.tombstoneStream(stream))).toBe("stream-deleted")
    expect(await failureOf(client.deleteStream(stream))).toBe("stream-deleted")
    const last = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })
    for await (const { event } of last) {
      expect(event?.type).toBe("$streamDeleted")
      expect(event?.revision).toBe(9223372036854775807n)
    }
  })

  test("is truncated by its metadata, which keeps what it does not know", async () => {
    const stream = anyStream()
    await append(stream, 4)
    await client.setStreamMetadata(stream, { truncateBefore: 2, owner: "me" })
    expect(await revisionsOf(client.readStream(stream))).toEqual([2, 3])
    expect(
      await revisionsOf(client.readStream(stream, { direction: BACKWARDS, fromRevision: END })),
    ).toEqual([3, 2])
    await client.deleteStream(stream)
    await append(stream)
    expect((await client.getStreamMetadata(stream)).metadata).toMatchObject({
      truncateBefore: 4,
      owner: "me",
    })
    expect(await revisionsOf(client.readStream(`$$${stream}`))).toHaveLength(1)
  })
})

describe("the log", () => {
  test("is read forwards from a position with it, backwards without it", async () => {
    const stream = anyStream()
    const { position } = await append(stream)
    if (position === undefined) throw new Error("a position")
    await append(stream)
    const forwards = client.readAll({ fromPosition: position, maxCount: 2 })
    expect(await revisionsOf(forwards)).toEqual([0, 1])
    const backwards = client.readAll({ direction: BACKWARDS, fromPosition: position, maxCount: 1 })
    for await (const { event } of backwards) expect(event?.streamId).not.toBe(stream)
  })

  test("is filtered by prefixes and by regular expressions, of streams and of types", async () => {
    const own = anyStream()
    const other = anyStream()
    const { position } = await append(own)
    if (position === undefined) throw new Error("a position")
    await client.appendToStream(own, event("Alpha"))
    await client.appendToStream(other, event("Beta"))
    await client.appendToStream(own, event("Gamma"))
    const types = async (filter: Filter) => {
      const subscription = client.subscribeToAll({ fromPosition: position, filter })
      const seen: Array<string> = []
      await new Promise((resolve, reject) => {
        subscription.on("data", ({ event }) => seen.push(event?.type ?? ""))
        subscription.on("caughtUp", () => resolve(undefined))
        subscription.on("error", reject)
      })
      await subscription.unsubscribe()
      return seen
    }
    expect(await types(streamNameFilter({ prefixes: [own] }))).toEqual(["Alpha", "Gamma"])
    expect(await types(streamNameFilter({ prefixes: [own, other] }))).toHaveLength(3)
    expect(await types(streamNameFilter({ regex: `^${other}$` }))).toEqual(["Beta"])
    expect(await types(eventTypeFilter({ prefixes: ["Al", "Be"] }))).toEqual(["Alpha", "Beta"])
    expect(await types(eventTypeFilter({ regex: "mma$" }))).toEqual(["Gamma"])
    expect(await types(eventTypeFilter({ regex: "^[^$].*" }))).toEqual(["Alpha", "Beta", "Gamma"])
  })

  test("is delivered whole to a reader that fell behind what the node keeps in memory", async () => {
    const stream = anyStream()
    const subscription = client.subscribeToAll({
      fromPosition: END,
      filter: streamNameFilter({ prefixes: [stream] }),
    })
    await new Promise((resolve) => subscription.once("confirmation", () => resolve(undefined)))
    subscription.pause()
    for (let batch = 0; batch < 14; batch++) await append(stream, 500)
    const revisions: Array<number> = []
    for await (const { event } of subscription) {
      revisions.push(Number(event?.revision))
      if (revisions.length === 7000) break
    }
    expect(revisions).toEqual([...Array(7000).keys()])
    await subscription.unsubscribe()
  })

  test("shows links as they are, or as what they point to", async () => {
    const [target, links] = [anyStream(), anyStream()]
    await append(target, 2)
    await client.appendToStream(links, {
      id: crypto.randomUUID(),
      type: "$>",
      contentType: "application/octet-stream",
      data: new TextEncoder().encode(`1@${target}`),
      metadata: undefined,
    })
    for await (const { event, link } of client.readStream(links, { resolveLinkTos: true })) {
      expect([event?.streamId, event?.revision, link?.streamId]).toEqual([target, 1n, links])
    }
    for await (const { event } of client.readStream(links)) expect(event?.type).toBe("$>")
  })
})
