import { describe, expect, test } from "bun:test"
import { Effect, Layer, Logger, Stream } from "effect"
import { AccountId, ChannelId, Timestamp, VideoId, videoStream } from "#domain/ids.ts"
import { ownImageSource } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { EncoderCrashed, ImageRefused, type MediaTools } from "#infra/media/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { ownImages } from "./own-images.ts"
import { mediaTools, record, withScratch } from "./testing.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const ofVideo = { videoId, at: Timestamp.make(1_700_000_000_000) }
const image = "0123456789abcdef"
const bytes = new TextEncoder().encode("an image")

/** What the log says in the end, and what lies in the store then. */
const afterUpload = (tools: Partial<MediaTools["Service"]>) =>
  Effect.gen(function* () {
    const store = yield* EventStore
    const objects = yield* ObjectStore
    yield* objects.put(ownImageSource(videoId, image), bytes)
    const stream = videoStream(videoId)
    yield* record(stream, {
      ...{ _tag: "VideoCreated", ...ofVideo, channelId: ChannelId.make("main") },
      accountId: AccountId.make("owner"),
      title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
      ...{ description: null, visibility: "public" },
    })
    yield* record(stream, { _tag: "ThumbnailUploaded", ...ofVideo, image, byteLength: 8 })
    yield* Effect.forkScoped(ownImages)
    const [told] = yield* store.followStream(stream, 2).pipe(Stream.take(1), Stream.runCollect)
    const isGone = Effect.gen(function* () {
      const left = yield* Stream.runCollect(objects.list("own-images/"))
      return left.length === 0
    })
    yield* Effect.repeat(Effect.andThen(Effect.sleep("2 millis"), isGone), {
      until: (gone) => gone,
    })
    const keys = yield* Stream.runCollect(objects.list(""))
    return { event: told?.event, keys: keys.map(({ key }) => key) }
  }).pipe(
    Effect.scoped,
    Effect.provide(
      Layer.mergeAll(mediaTools(tools), withScratch()).pipe(
        Layer.provideMerge(Layer.merge(memoryEventStore, memoryObjectStore)),
        Layer.provideMerge(Logger.layer([])),
      ),
    ),
    Effect.runPromise,
  )

const made = ["jpeg", "webp"] as const
const ofSize = { width: 640, height: 360, data: bytes }

describe("an owner's image", () => {
  test("is made anew, told with its copies, and its upload is deleted", async () => {
    const { event, keys } = await afterUpload({
      ownImage: ({ name }) =>
        Effect.succeed({
          files: made.map((format) => ({ ...ofSize, name: `${name}-640.${format}`, format })),
          ...{ cpuSeconds: 0.1, peakMebibytes: 50 },
        }),
    })
    const key = `images/${videoId}/own/${image}-640.jpeg`
    expect(event).toMatchObject({ _tag: "ThumbnailMade", image, picture: { key, width: 640 } })
    expect(keys).toEqual([key, key.replace("jpeg", "webp")])
  })

  test("that can't be shown is refused with its code", async () => {
    const { event, keys } = await afterUpload({
      ownImage: () => Effect.fail(new ImageRefused({ code: "too_many_pixels" })),
    })
    expect(event).toMatchObject({ _tag: "ThumbnailRefused", image, code: "too_many_pixels" })
    expect(keys).toEqual([])
  })

  test("is tried again when a program crashed", async () => {
    let tries = 0
    const { event } = await afterUpload({
      ownImage: () =>
        Effect.suspend(() => {
          tries += 1
          const crashed = new EncoderCrashed({ detail: "by chance" })
          const refused = new ImageRefused({ code: "unreadable_image" })
          return Effect.fail<EncoderCrashed | ImageRefused>(tries === 1 ? crashed : refused)
        }),
    })
    expect(event).toMatchObject({ _tag: "ThumbnailRefused", code: "unreadable_image" })
    expect(tries).toBe(2)
  })
})
