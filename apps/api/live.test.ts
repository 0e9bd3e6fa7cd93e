import { describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { Timestamp, uploadStream, type VideoId, videoStream } from "#domain/ids.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { type Asking, insideOver } from "./testing.ts"

const at = Timestamp.make(1_700_000_000_000)
let follows = 0
let reads = 0

const counted = Layer.effect(
  EventStore,
  Effect.gen(function* () {
    const store = yield* EventStore
    return EventStore.of({
      ...store,
      read: (...asked) => {
        reads += 1
        return store.read(...asked)
      },
      follow: (asked) => {
        follows += 1
        return store.follow(asked)
      },
    })
  }),
).pipe(Layer.provide(memoryEventStore))

const inside = insideOver({
  log: counted,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

/** Frames as they come, without the heartbeat. */
const listen = async ({ fetch }: Asking, id: VideoId, after = "", as?: "owner") => {
  const headers = after === "" ? {} : { "last-event-id": after }
  const response = await fetch(as ?? "stranger", `/v1/videos/${id}/events`, { headers })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  let isOver = false
  const next = async () => {
    const read = await reader?.read()
    isOver = read?.done ?? true
    text += (read?.value ?? "").replace(/^:.*\n\n/gm, "")
  }
  return {
    status: response.status,
    headers: response.headers,
    /** All there is up to an event of this name. */
    until: async (event: string) => {
      while (!isOver && !text.includes(`event: ${event}\n`)) await next()
      return text
    },
    toTheEnd: async () => {
      while (!isOver) await next()
      return text
    },
    close: () => reader?.cancel(),
  }
}

const partArrives = ({ say }: Asking, videoId: VideoId, number: number) =>
  say(uploadStream(videoId), {
    ...{ _tag: "PartsReceived", videoId, at, parts: [{ number, etag: "e" }] },
  })
const inThree = { parts: [0, 100, 200].map((offset) => ({ offset, length: 100 })) }

describe("the events of a video", () => {
  test("are folded once for all who look at it", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const id = yield* asking.create(inThree)
        const other = yield* asking.create({ title: "Another" })
        const before = { follows, reads }
        const crowd = yield* Effect.promise(() =>
          Promise.all(Array.from({ length: 50 }, () => listen(asking, id))),
        )
        const one = { follows: follows - before.follows, reads: reads - before.reads }
        expect(one.follows).toBe(1)
        yield* Effect.promise(() => listen(asking, other).then((it) => it.close()))
        expect(reads - before.reads).toBe(2 * one.reads)

        yield* partArrives(asking, id, 1)
        yield* asking.say(videoStream(id), {
          ...{ _tag: "VideoPublished", videoId: id, at, transcode: `${id}.1` },
        })
        const heard = yield* Effect.promise(() =>
          Promise.all(crowd.map((it) => it.until("published"))),
        )
        expect(new Set(heard).size).toBe(1)
        expect(heard[0]).toContain('"parts":[1],"partCount":3')
        yield* Effect.promise(() => Promise.all(crowd.map((it) => it.close())))
        // Nobody looks any more: the next one folds anew.
        const last = yield* Effect.promise(() => listen(asking, id))
        expect(yield* Effect.promise(() => last.until("published"))).toBe(heard[0] ?? "")
        expect(follows - before.follows).toBe(3)
        yield* Effect.promise(async () => last.close())
      }),
    ))

  test("go on behind any Last-Event-ID, with nothing twice and nothing left out", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const id = yield* asking.create(inThree)
        const first = yield* Effect.promise(() => listen(asking, id))
        yield* partArrives(asking, id, 1)
        yield* partArrives(asking, id, 2)
        yield* asking.say(videoStream(id), {
          ...{ _tag: "VideoPlayable", videoId: id, at, transcode: `${id}.1` },
        })
        const whole = yield* Effect.promise(() => first.until("playable"))
        const frames = whole.split("\n\n").filter(Boolean)
        expect(frames).toHaveLength(4)
        for (const [index, frame] of frames.entries()) {
          const last = /^id: (\d+)/.exec(frame)?.[1] ?? ""
          const resumed = yield* Effect.promise(() => listen(asking, id, last))
          yield* partArrives(asking, id, 3)
          yield* asking.say(videoStream(id), {
            ...{ _tag: "VideoPublished", videoId: id, at, transcode: `${id}.1` },
          })
          const rest = yield* Effect.promise(() => resumed.until("published"))
          expect(rest.split("\n\n").slice(0, 3 - index)).toEqual(frames.slice(index + 1))
          yield* Effect.promise(async () => resumed.close())
        }
        // From a position that this process has not come to yet.
        const ahead = yield* Effect.promise(() => listen(asking, id, "9999999", "owner"))
        yield* asking.ask("owner", `/v1/videos/${id}/takedown`, "POST", { reason: "other" })
        expect(yield* Effect.promise(() => first.until("taken-down"))).toContain("taken-down")
        yield* Effect.promise(async () => Promise.all([first.close(), ahead.close()]))
      }),
    ))

  test("of a long upload are told from its later parts on, which say what the first ones said", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const parts = Array.from({ length: 150 }, (_, offset) => ({ offset, length: 1 }))
        const id = yield* asking.create({ byteLength: 150, parts })
        for (const { offset } of parts) yield* partArrives(asking, id, offset + 1)
        const late = yield* Effect.promise(() => listen(asking, id))
        yield* asking.say(uploadStream(id), {
          ...{ _tag: "UploadCompleted", videoId: id, at, byteLength: 150 },
        })
        yield* asking.say(videoStream(id), {
          ...{ _tag: "VideoPublished", videoId: id, at, transcode: `${id}.1` },
        })
        const told = yield* Effect.promise(() => late.until("published"))
        const counts = [...told.matchAll(/"receivedBytes":(\d+)/g)].map(([, bytes]) =>
          Number(bytes),
        )
        expect(counts.length).toBeGreaterThanOrEqual(100)
        expect(counts.length).toBeLessThanOrEqual(101)
        expect(counts.at(-1)).toBe(150)
        yield* Effect.promise(async () => late.close())
      }),
    ))

  test("end for strangers where the video is closed to them, and go on for its owner", () =>
    inside((asking) =>
      Effect.gen(function* () {
        for (const shut of ["takedown", "private"] as const) {
          const id = yield* asking.create(inThree)
          const stranger = yield* Effect.promise(() => listen(asking, id))
          const owner = yield* Effect.promise(() => listen(asking, id, "", "owner"))
          const isDown = shut === "takedown"
          yield* isDown
            ? asking.ask("owner", `/v1/videos/${id}/takedown`, "POST", { reason: "other" })
            : asking.ask("owner", `/v1/videos/${id}`, "PATCH", { visibility: "private" })
          yield* asking.say(uploadStream(id), { _tag: "UploadExpired", videoId: id, at })
          const told = yield* Effect.promise(() => stranger.toTheEnd())
          expect(told.includes("taken-down")).toBe(isDown)
          expect(told).not.toContain("upload_expired")
          const all = yield* Effect.promise(() => owner.until("failed"))
          expect(all).toContain("upload_expired")
          yield* Effect.promise(async () => owner.close())
        }
      }),
    ))
})

describe("the number of event streams", () => {
  const gauge = ({ ask }: Asking) =>
    Effect.map(ask("stranger", "/metrics"), ({ text }) =>
      Number(/^reelog_event_streams (\d+)/m.exec(text)?.[1]),
    )

  test("is bounded; who comes too many is told when to come back, and gets the place of one who left", () =>
    inside(
      (asking) =>
        Effect.gen(function* () {
          const id = yield* asking.create()
          const path = `/v1/videos/${id}/events`
          const two = yield* Effect.promise(() =>
            Promise.all([listen(asking, id), listen(asking, id)]),
          )
          expect(yield* gauge(asking)).toBe(2)
          const refused = yield* asking.ask("stranger", path)
          expect([refused.status, refused.code]).toEqual([503, "too_many_event_streams"])
          expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0)
          yield* Effect.promise(async () => two[0].close())
          const third = yield* Effect.promise(() => listen(asking, id))
          expect(third.status).toBe(200)
          yield* Effect.promise(async () => Promise.all([two[1].close(), third.close()]))
          expect(yield* gauge(asking)).toBe(0)
        }),
      { REELOG_MAX_EVENT_STREAMS: "2" },
    ))

  test("counts nobody who was refused or has hung up", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const id = yield* asking.create()
        yield* asking.ask("stranger", "/v1/videos/loc0000000000000000/events")
        expect(yield* gauge(asking)).toBe(0)
        const server = yield* Effect.acquireRelease(
          Effect.sync(() =>
            Bun.serve({
              port: 0,
              development: false,
              fetch: ({ url }) => asking.fetch("stranger", new URL(url).pathname),
            }),
          ),
          (open) => Effect.promise(() => open.stop(true)),
        )
        const hangUp = new AbortController()
        const response = yield* Effect.promise(() =>
          fetch(`${server.url}v1/videos/${id}/events`, { signal: hangUp.signal }),
        )
        yield* Effect.promise(async () => response.body?.getReader().read())
        expect(yield* gauge(asking)).toBe(1)
        hangUp.abort()
        yield* gauge(asking).pipe(
          Effect.repeat({ until: (open) => open === 0 }),
          Effect.timeout("3 seconds"),
        )
      }),
    ))
})
