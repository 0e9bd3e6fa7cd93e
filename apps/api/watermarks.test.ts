import { describe, expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import { ChannelId, channelStream, Timestamp } from "#domain/ids.ts"
import { watermarkSource } from "#domain/keys.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { openOwnersChannel } from "./background.ts"
import { type Asking, insideOver } from "./testing.ts"

const over = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})
const inside = <E>(
  story: (asking: Watermarks) => Effect.Effect<void, E, EventStore | ObjectStore>,
) => over((asking) => Effect.andThen(openOwnersChannel, story(watermarksOf(asking))))

const channelId = ChannelId.make("main")
const path = "/v1/channels/main/watermark"
const png = Buffer.from("\x89PNG\r\n\x1a\n and more", "latin1")

const watermarksOf = ({ fetch, ask }: Asking) => {
  const send = (
    method: "PUT" | "DELETE",
    body?: BodyInit,
    type = "application/json",
    to = path,
    as: "owner" | "stranger" = "owner",
  ) =>
    Effect.promise(async () => {
      const headers = body === undefined ? {} : { "content-type": type }
      const answered = await fetch(as, to, { method, headers, ...(body !== undefined && { body }) })
      return { status: answered.status, body: JSON.parse(await answered.text()) }
    })
  return {
    ask,
    send,
    put: (form: unknown) => send("PUT", JSON.stringify(form)),
    show: Effect.map(ask("owner", path), ({ text }) => JSON.parse(text).watermark),
  }
}
type Watermarks = ReturnType<typeof watermarksOf>

const made = Effect.fnUntraced(function* (mark: string) {
  const store = yield* EventStore
  const image = { key: `watermarks/main/${mark}.png`, bytes: 9, sha256: "ab", width: 9, height: 9 }
  const event = { _tag: "WatermarkMade", channelId, mark, image, at: Timestamp.make(1) } as const
  const stream = channelStream(channelId)
  const told = yield* envelope(stream, event, { cause: "worker", actor: "worker" })
  yield* store.append(stream, "any", [told])
})

describe("a channel's watermark", () => {
  test("is a text, told to the log by a name alone and kept for a worker", () =>
    inside(({ put, show, send }) =>
      Effect.gen(function* () {
        const objects = yield* ObjectStore
        const store = yield* EventStore
        expect(yield* show).toBeNull()
        const set = yield* put({ text: " 김민수 ", corner: "top-left", opacity: 0.5 })
        expect(set).toMatchObject({ status: 202, body: { watermark: { state: "processing" } } })
        const { mark } = set.body.watermark
        const kept = yield* objects.get(watermarkSource("main", mark))
        expect(new TextDecoder().decode(kept)).toBe("김민수")
        const [event] = yield* store.read(channelStream(channelId), {
          ...{ backwards: true, maxCount: 1 },
        })
        expect(event?.event).toMatchObject({
          ...{ _tag: "WatermarkSet", actor: "owner" },
          watermark: { mark, kind: "text", corner: "top-left", opacity: 0.5, size: 0.08 },
        })
        expect(JSON.stringify(event)).not.toContain("김민수")

        yield* made(mark)
        expect(yield* show).toMatchObject({ state: "made", corner: "top-left" })
        const moved = yield* put({ corner: "bottom-left" })
        expect(moved).toMatchObject({ status: 200, body: { watermark: { state: "made" } } })
        expect(yield* show).toMatchObject({ mark, corner: "bottom-left", opacity: 0.5 })
        expect(yield* send("DELETE")).toMatchObject({ status: 200, body: { watermark: null } })
        expect(yield* put({ corner: "top-left" })).toMatchObject({
          ...{ status: 404, body: { code: "watermark_not_found" } },
        })
      }),
    ))

  test("is an image, placed by the query, and the same one is set once", () =>
    inside(({ send, show }) =>
      Effect.gen(function* () {
        const objects = yield* ObjectStore
        const store = yield* EventStore
        const to = `${path}?corner=top-right&size=0.2&margin=0`
        for (const _ of [1, 2]) {
          expect((yield* send("PUT", png, "image/png", to)).status).toBe(202)
        }
        const { mark, ...rest } = yield* show
        expect(rest).toMatchObject({ kind: "image", corner: "top-right", size: 0.2, margin: 0 })
        expect(yield* objects.get(watermarkSource("main", mark))).toEqual(new Uint8Array(png))
        expect((yield* store.read(channelStream(channelId))).length).toBe(2)
      }),
    ))

  test("is nothing else: no drawing, no long text, not out of bounds, nobody else's", () =>
    inside(({ send, put }) =>
      Effect.gen(function* () {
        const objects = yield* ObjectStore
        expect(yield* send("PUT", "<svg/>", "image/svg+xml")).toMatchObject({
          ...{ status: 415, body: { code: "not_an_image" } },
        })
        for (const wrong of [
          { text: "" },
          { text: "\u0007" },
          { text: "a\nb" },
          { text: "가".repeat(61) },
          { text: "a", corner: "middle" },
          { text: "a", opacity: 2 },
          { text: "a", size: 0 },
          { text: "a", colour: "red" },
        ]) {
          expect(yield* put(wrong)).toMatchObject({
            ...{ status: 422, body: { code: "invalid_request" } },
          })
        }
        for (const query of ["corner=middle", "opacity=", "size=x", "colour=red"]) {
          const told = yield* send("PUT", png, "image/png", `${path}?${query}`)
          expect([query, told.status]).toEqual([query, 422])
        }
        const other = path.replace("main", "other")
        expect((yield* send("PUT", png, "image/png", other)).status).toBe(404)
        expect((yield* send("PUT", png, "image/png", path, "stranger")).status).toBe(401)
        const kept = yield* Stream.runCollect(objects.list("watermark-sources/"))
        expect(kept.length).toBe(0)
      }),
    ))

  test("stands in the document of the API, with the bounds of its fields", () =>
    inside(({ ask }) =>
      Effect.gen(function* () {
        const { text } = yield* ask("stranger", "/openapi.json")
        const route = JSON.parse(text).paths["/v1/channels/{id}/watermark"]
        const { schema } = route.put.requestBody.content["application/json"]
        expect(schema.properties.opacity).toMatchObject({ minimum: 0.05, maximum: 1 })
        expect(Object.keys(route).toSorted()).toEqual(["delete", "get", "put"])
      }),
    ))
})
