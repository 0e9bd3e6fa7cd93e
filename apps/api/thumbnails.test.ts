import { describe, expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import { transcodeStream, type VideoId, videoStream } from "#domain/ids.ts"
import { ownImageSource, transcodeId } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { type Asking, insideOver } from "./testing.ts"

const inside = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

const jpeg = Buffer.from("\xff\xd8\xff\xe0 and so on", "latin1")

const put = (
  { fetch }: Asking,
  videoId: string,
  body: BodyInit,
  type: string,
  as: "owner" | "stranger" = "owner",
) =>
  Effect.promise(async () => {
    const path = `/v1/videos/${videoId}/thumbnail`
    const headers = { "content-type": type }
    const answered = await fetch(as, path, { method: "PUT", body, headers })
    return { status: answered.status, body: JSON.parse(await answered.text()) }
  })

const eventsOf = Effect.fnUntraced(function* (videoId: VideoId) {
  const store = yield* EventStore
  return (yield* store.read(videoStream(videoId))).map(({ event }) => event)
})

const thumbnailsMade = ({ say }: Asking, videoId: VideoId) =>
  Effect.gen(function* () {
    const of = { videoId, transcode: transcodeId(videoId, 1) }
    const images = [1, 2, 3].map((n) => ({
      ...{ key: `images/${videoId}/1/${n}-640.jpg`, width: 640, height: 360, at: n, files: [] },
    }))
    yield* say(transcodeStream(videoId), {
      ...{ _tag: "TranscodePlanned", ...of, channelId: "main" as never, service: "standard" },
      ...{ pipeline: "default", steps: [], config: {} },
    })
    yield* say(transcodeStream(videoId), {
      ...{ _tag: "TaskSucceeded", videoId, taskId: `${of.transcode}/thumbnails`, attempt: 0 },
      ...{ worker: "loc0000000000000001" as never, outputs: { images }, cpuSeconds: 1 },
    })
  })

describe("the thumbnail of a video", () => {
  test("is one of those made, as its owner chooses, also in what the past shows", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const videoId = yield* asking.create()
        const choose = (choice: unknown) =>
          put(asking, videoId, JSON.stringify({ choice }), "application/json")
        const shown = (query = "") =>
          Effect.map(asking.ask("owner", `/v1/videos/${videoId}${query}`), ({ text }) => {
            const { thumbnails, position } = JSON.parse(text)
            const at = thumbnails.findIndex(({ isShown }: { isShown: boolean }) => isShown)
            return { at: at + 1, position }
          })
        expect(yield* choose(2)).toMatchObject({
          ...{ status: 404, body: { code: "thumbnail_not_found", number: 2 } },
        })
        yield* thumbnailsMade(asking, videoId)
        const before = yield* shown()
        expect(before.at).toBe(1)
        expect(yield* choose(3)).toMatchObject({ status: 200, body: { choice: 3 } })
        expect((yield* shown()).at).toBe(3)
        expect((yield* shown(`?at=${before.position}`)).at).toBe(1)
        for (const wrong of [0, 4, "2", 1.5]) {
          expect(yield* choose(wrong)).toMatchObject({
            ...{ status: 422, body: { code: "invalid_request" } },
          })
        }
        expect((yield* eventsOf(videoId)).at(-1)).toMatchObject({
          ...{ _tag: "ThumbnailChosen", choice: 3, at: expect.any(Number) },
        })
      }),
    ))

  test("may be an own image, which goes into the store while the log is told of it", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const objects = yield* ObjectStore
        const videoId = yield* asking.create()
        const sent = yield* put(asking, videoId, jpeg, "image/jpeg")
        expect(sent).toMatchObject({ status: 202, body: { state: "processing" } })
        const { image } = sent.body
        expect((yield* objects.get(ownImageSource(videoId, image))).length).toBe(jpeg.length)
        expect(yield* eventsOf(videoId)).toMatchObject([
          { _tag: "VideoCreated" },
          { _tag: "ThumbnailUploaded", image, byteLength: jpeg.length },
        ])
        // Whatever it calls itself; and twice is once.
        const again = yield* put(asking, videoId, jpeg, "application/octet-stream")
        expect(again.status).toBe(202)
        expect((yield* eventsOf(videoId)).length).toBe(2)
      }),
    ))

  test("is nothing else: not a drawing, not too large, not for a stranger or for no video", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const objects = yield* ObjectStore
        const videoId = yield* asking.create()
        const refused = (
          body: BodyInit,
          as: "owner" | "stranger" = "owner",
          of: string = videoId,
        ) => Effect.map(put(asking, of, body, "image/png", as), (it) => [it.status, it.body.code])
        expect(yield* refused("<svg xmlns='http://www.w3.org/2000/svg'/>")).toEqual([
          ...[415, "not_an_image"],
        ])
        expect(yield* refused("<html>")).toEqual([415, "not_an_image"])
        expect(yield* refused("")).toEqual([415, "not_an_image"])
        const large = Buffer.alloc(8 * 2 ** 20 + 1)
        jpeg.copy(large)
        expect(yield* refused(large)).toEqual([413, "image_too_large"])
        expect(yield* refused(jpeg, "stranger")).toEqual([401, "unauthorized"])
        expect(yield* refused(jpeg, "owner", "loc00000000000zzzzz")).toEqual([
          ...[404, "video_not_found"],
        ])
        const kept = yield* Stream.runCollect(objects.list("own-images/"))
        expect(kept.length).toBe(0)
        expect((yield* eventsOf(videoId)).length).toBe(1)
      }),
    ))
})
