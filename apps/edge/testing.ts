/** A video's life in few words, an object store in memory that can go away, and an edge over both. For tests. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, type StreamName, Timestamp, VideoId, WorkerId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { type Media, type Rung, TICKS } from "#domain/transcode/facts.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectNotFound, ObjectStore, ObjectStoreUnavailable } from "#infra/object-store/port.ts"
import { type EdgeOptions, makeEdge } from "./app.ts"

export const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const transcode = `${videoId}.1`
const worker = WorkerId.make("loc0123456789abcdex")

export const created: DomainEvent = {
  _tag: "VideoCreated",
  videoId,
  at,
  channelId: ChannelId.make("main"),
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  description: null,
  visibility: "public",
}
export const playable: DomainEvent = { _tag: "VideoPlayable", videoId, at, transcode }
export const published: DomainEvent = { _tag: "VideoPublished", videoId, at, transcode }
export const reinstated: DomainEvent = { _tag: "VideoReinstated", videoId, at, actor: "owner" }
export const takenDown: DomainEvent = {
  _tag: "VideoTakenDown",
  videoId,
  at,
  reason: "copyright",
  actor: "owner",
}

const rung: Rung = {
  name: "240p",
  group: "r1",
  width: 426,
  height: 240,
  maxBitsPerSecond: 400_000,
  codecs: "avc1.64001f",
}
const media: Media = {
  demuxer: "mov",
  video: {
    index: 0,
    codec: "h264",
    width: 426,
    height: 240,
    framesPerSecond: 25,
    bitsPerSecond: null,
  },
  audio: null,
  durationTicks: 12 * TICKS,
  targetDuration: 4,
  byteLength: 1_000_000,
}

const task = (name: string) => ({ videoId, taskId: `${transcode}/${name}`, attempt: 1, worker })
export const inspected: DomainEvent = {
  _tag: "TaskSucceeded",
  ...task("inspect"),
  outputs: { media, rungs: [rung] },
}
export const encoded = (n: number): DomainEvent => ({
  _tag: "TaskSucceeded",
  ...task(`encode-video:all/${n}`),
  outputs: {
    segments: {
      n,
      rungs: [
        {
          rung: "240p",
          initBytes: 800,
          segments: [{ k: n, start: n * 2 * TICKS, duration: 2 * TICKS, bytes: 10 }],
        },
      ],
    },
  },
})

export const scenery = (log: Layer.Layer<EventStore>) => {
  const objects = new Map<string, Uint8Array>()
  const asked: Array<string> = []
  const weather = {
    objectStoreAway: false,
    eventStoreAway: false,
    /** Nothing is heard any more and nobody says so, while the log goes on answering. */
    isSubscriptionCut: false,
    reads: 0,
  }

  const get = Effect.fnUntraced(function* (key: string) {
    asked.push(key)
    if (weather.objectStoreAway) return yield* new ObjectStoreUnavailable({ cause: "away" })
    return objects.get(key) ?? (yield* new ObjectNotFound({ key }))
  })
  const objectStore = Layer.mock(ObjectStore, {
    get: (key, range) => Effect.map(get(key), (bytes) => bytes.slice(range?.from, range?.to)),
    stream: (key, range) =>
      Stream.fromEffect(get(key)).pipe(
        Stream.map((bytes) => bytes.slice(range?.from, range?.to)),
        Stream.flatMap((bytes) => Stream.make(bytes.slice(0, 4), bytes.slice(4))),
      ),
    head: (key) =>
      Effect.map(get(key), ({ byteLength }) => ({ key, byteLength, etag: "e", lastModified: 0 })),
  })
  const eventStore = Layer.effect(
    EventStore,
    Effect.gen(function* () {
      const store = yield* EventStore
      return EventStore.of({
        ...store,
        end: Effect.suspend(() => (weather.eventStoreAway ? Effect.never : store.end)),
        readAll: (options) =>
          Stream.suspend(() => (weather.eventStoreAway ? Stream.never : store.readAll(options))),
        follow: (options) =>
          store
            .follow(options)
            .pipe(Stream.filter(() => !weather.isSubscriptionCut && !weather.eventStoreAway)),
        read: (stream, options) =>
          Effect.suspend(() => {
            weather.reads += 1
            return weather.eventStoreAway ? Effect.never : store.read(stream, options)
          }),
      })
    }),
  ).pipe(Layer.provide(log))
  return { objects, asked, weather, layer: Layer.mergeAll(objectStore, eventStore) }
}

export type Scenery = ReturnType<typeof scenery>

export const record = Effect.fn("record")(function* (...events: ReadonlyArray<DomainEvent>) {
  const store = yield* EventStore
  const metadata = {
    $correlationId: "c",
    $causationId: "c",
    actor: "owner",
    region: "r",
    version: 1,
  }
  for (const event of events) {
    const stream: StreamName = event._tag.startsWith("Video")
      ? `video-${videoId}`
      : `transcode-${videoId}`
    yield* store.append(stream, "any", [{ id: crypto.randomUUID(), event, metadata }])
  }
})

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "edge-test-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true })),
)

export const startEdge = Effect.fn("startEdge")(function* (options: Partial<EdgeOptions> = {}) {
  const edge = yield* makeEdge({
    cell: "loc",
    cacheDirectory: yield* scratch,
    cacheBytes: 1_000_000,
    maxHeldVideos: 10,
    readTimeout: "200 millis",
    ...options,
  })
  const ask = (path: string, init?: RequestInit) =>
    Effect.promise(async () => edge.fetch(new Request(`http://edge${path}`, init)))
  /** The live subscription is another fiber: its news is awaited, not slept for. */
  const askUntil = (path: string, status: number) =>
    ask(path).pipe(
      Effect.tap(Effect.sleep("1 millis")),
      Effect.repeat({ until: (response) => response.status === status }),
      Effect.timeout("2 seconds"),
    )
  return { fetch: edge.fetch, ask, askUntil }
})
