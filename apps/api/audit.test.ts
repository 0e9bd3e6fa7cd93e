import { describe, expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import {
  AccountId,
  ChannelId,
  type StreamName,
  Timestamp,
  transcodeStream,
  VideoId,
  videoStream,
  WorkerId,
} from "#domain/ids.ts"
import { segment, sourcePart, temp } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { chained } from "#infra/event-store/chain.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { auditLog, auditObjects } from "./audit.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const transcode = `${videoId}.1`
const worker = WorkerId.make("loc000000000000000a")
const media = segment(videoId, 1, "720p", 0)

const created: DomainEvent = {
  ...{ _tag: "VideoCreated", videoId, at, channelId: ChannelId.make("main") },
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
const encoded: DomainEvent = {
  ...{ _tag: "TaskSucceeded", videoId, taskId: `${transcode}/encode#0`, attempt: 1, worker },
  outputs: {
    media: { key: media, bytes: 1, sha256: "0".repeat(64) },
    index: { key: temp(videoId, 1, "index.json"), bytes: 1, sha256: "0".repeat(64) },
  },
}
const completed: DomainEvent = { _tag: "TranscodeCompleted", videoId, transcode }
const published: DomainEvent = { _tag: "VideoPublished", videoId, transcode, at }

const run = <A, E>(effect: Effect.Effect<A, E, EventStore | ObjectStore>) =>
  Effect.runPromise(effect.pipe(Effect.provide(Layer.merge(memoryEventStore, memoryObjectStore))))

const say = Effect.fnUntraced(function* (stream: StreamName, event: DomainEvent) {
  const store = yield* EventStore
  const last = (yield* store.read(stream)).at(-1)
  const told = yield* envelope(stream, event, { cause: `said ${Math.random()}`, actor: "test" })
  yield* store.append(stream, last?.revision ?? "none", chained([told], last))
})
const publish = Effect.gen(function* () {
  yield* say(videoStream(videoId), created)
  yield* say(transcodeStream(videoId), encoded)
  yield* say(transcodeStream(videoId), completed)
  yield* say(videoStream(videoId), published)
})
const put = (...keys: ReadonlyArray<string>) =>
  ObjectStore.use((objects) => Effect.forEach(keys, (key) => objects.put(key, new Uint8Array(1))))
const audit = Effect.gen(function* () {
  const { checks, ...videos } = yield* auditLog
  return [...checks, yield* auditObjects(videos)].map(({ problems }) => problems)
})

describe("an audit", () => {
  test("finds nothing wrong with a video that was published as it should be", () =>
    run(
      Effect.gen(function* () {
        yield* put(media, sourcePart(videoId, 1))
        yield* publish
        expect(yield* audit).toEqual([[], [], []])
      }),
    ))

  test("finds what was claimed and is not there, what nobody owns, and what was left behind", () =>
    run(
      Effect.gen(function* () {
        const nobodys = sourcePart("loc0123456789abcdeg", 1)
        const left = temp(videoId, 1, "index.json")
        yield* put(segment(videoId, 1, "720p", 1), nobodys, left)
        yield* publish
        expect((yield* audit)[2]).toEqual([
          { key: left, detail: "left behind" },
          { key: nobodys, detail: "no event owns it" },
          { key: media, detail: "claimed, but not there" },
        ])
      }),
    ))

  test("finds where a chain was broken, and what was published without its transcode", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        yield* say(videoStream(videoId), created)
        const forged = { cause: "forged", actor: "test" }
        const stream = videoStream(videoId)
        yield* store.append(stream, 0, [yield* envelope(stream, published, forged)])
        const [log, chains] = yield* audit
        expect(log).toMatchObject([
          { rule: "nothing is published before its transcode is complete", stream, revision: 1 },
        ])
        expect(chains).toMatchObject([{ stream, revision: 1, found: undefined }])
      }),
    ))
})

describe("the memory of an audit", () => {
  const EVENTS = 200_000
  const STREAMS = 50
  const DESCRIPTION_BYTES = 2_000

  /** 400 MB of changed descriptions, each of which is made when it is asked for; measured at the last. */
  const longLog = function* (measured: (bytes: number) => void): Generator<Recorded> {
    const heap = () => {
      Bun.gc(true)
      return process.memoryUsage().heapUsed
    }
    const before = heap()
    for (let index = 0; index < EVENTS; index++) {
      if (index === EVENTS - 1) measured(heap() - before)
      const stream = videoStream(VideoId.make(`loc${String(index % STREAMS).padStart(16, "0")}`))
      const description = Sealed.make(`v1.owner.${String(index).padStart(DESCRIPTION_BYTES, "A")}`)
      const event = { _tag: "VideoDetailsChanged", videoId, at, description } as const
      yield {
        ...{ stream, revision: Math.floor(index / STREAMS), position: String(index + 1) },
        ...{ id: `00000000-0000-5000-8000-${index.toString(16).padStart(12, "0")}`, event },
        metadata: {
          ...{ $correlationId: "", $causationId: "", actor: "test", region: "", version: 1 },
        },
        recordedAt: 0,
      }
    }
  }

  test("does not grow with the log: 200,000 events of 2 KB leave less than 64 MiB", async () => {
    let held = Number.NaN
    const log = Layer.mock(EventStore, {
      readAll: () => Stream.fromIterable(longLog((bytes) => (held = bytes))),
    })
    const { checks } = await Effect.runPromise(auditLog.pipe(Effect.provide(log)))
    expect(checks[0]).toMatchObject({ looked: EVENTS, problems: [] })
    // No event names the one before it: the first of each stream alone may.
    expect(checks[1]?.problems).toHaveLength(50)
    expect(held).toBeGreaterThan(0)
    expect(held).toBeLessThan(64 * 2 ** 20)
  })
})
