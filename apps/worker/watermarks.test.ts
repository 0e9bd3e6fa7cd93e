import { expect, test } from "bun:test"
import { Effect, Layer, Logger, Stream } from "effect"
import { usualPlacement } from "#domain/channel/watermark.ts"
import { AccountId, ChannelId, channelStream, Timestamp } from "#domain/ids.ts"
import { watermarkSource } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ImageRefused, type MediaTools } from "#infra/media/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { mediaTools, record, withScratch } from "./testing.ts"
import { watermarks } from "./watermarks.ts"

const channelId = ChannelId.make("main")
const of = { channelId, at: Timestamp.make(1_700_000_000_000) }
const mark = "0123456789abcdef"
const watermark = { mark, kind: "text", ...usualPlacement } as const

/** What the log says in the end, and what lies in the store then. */
const afterSetting = (tools: Partial<MediaTools["Service"]>) =>
  Effect.gen(function* () {
    const store = yield* EventStore
    const objects = yield* ObjectStore
    yield* objects.put(watermarkSource(channelId, mark), new TextEncoder().encode("Anna"))
    const stream = channelStream(channelId)
    yield* record(stream, {
      ...{ _tag: "ChannelOpened", ...of, accountId: AccountId.make("owner") },
      name: Sealed.make(`v1.owner.${"A".repeat(40)}`),
    })
    yield* record(stream, { _tag: "WatermarkSet", ...of, actor: "owner", watermark })
    yield* Effect.forkScoped(watermarks)
    const [told] = yield* store.followStream(stream, 2).pipe(Stream.take(1), Stream.runCollect)
    const isGone = Effect.map(
      Stream.runCollect(objects.list("watermark-sources/")),
      (left) => left.length === 0,
    )
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

test("a watermark becomes a picture, and what it was made of is deleted", async () => {
  const { event, keys } = await afterSetting({
    mark: ({ bytes, kind }) => {
      expect([new TextDecoder().decode(bytes), kind]).toEqual(["Anna", "text"])
      const size = { width: 400, height: 100 }
      return Effect.succeed({ data: bytes, ...size, cpuSeconds: 0.1, peakMebibytes: 50 })
    },
  })
  const key = `watermarks/main/${mark}.png`
  expect(event).toMatchObject({ _tag: "WatermarkMade", mark, image: { key, bytes: 4, width: 400 } })
  expect(keys).toEqual([key])
})

test("a watermark of which none can be made is refused with its code", async () => {
  const { event, keys } = await afterSetting({
    mark: () => Effect.fail(new ImageRefused({ code: "unreadable_image" })),
  })
  expect(event).toMatchObject({ _tag: "WatermarkRefused", mark, code: "unreadable_image" })
  expect(keys).toEqual([])
})
