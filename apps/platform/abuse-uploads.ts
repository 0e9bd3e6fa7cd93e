/** Uploads in careless and hostile hands: tests that `abuse.e2e.test.ts` runs on its platform. */
import { describe, expect, test } from "bun:test"
import { presigner } from "#infra/object-store/presign.ts"
import { type Asking, codeOf, film } from "./asking.ts"
import { madeVideo, secretsOf } from "./testing.ts"

const thirds = [0, 100, 200].map((offset) => ({ offset, length: 100 }))

interface Frame {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: string | undefined
}

/** Frames up to and with the one that tells this. */
const framesUntil = async (site: string, videoId: string, last: string, headers = {}) => {
  const abort = new AbortController()
  const url = `${site}/v1/videos/${videoId}/events`
  const response = await fetch(url, { headers, signal: abort.signal })
  const frames: Array<Frame> = []
  let rest = ""
  for await (const bytes of response.body ?? []) {
    rest += new TextDecoder().decode(bytes)
    const texts = rest.split("\n\n")
    rest = texts.pop() ?? ""
    for (const text of texts.filter((it) => it.includes("event: "))) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]
      frames.push({ id: field("id"), event: field("event"), data: field("data") })
    }
    if (frames.some(({ event }) => event === last)) break
  }
  abort.abort()
  return frames
}

export const uploadsAreGuarded = ({ here, ask, asOwner, send, created, put }: Asking) => {
  describe("a part's URL", () => {
    test("that was tampered with opens nothing, while the one that was given does", async () => {
      const { parts } = await created({ parts: thirds })
      const [first, second] = parts.map(({ url }) => url)
      const tampered = [
        first?.replace("/00001?", "/00004?"),
        first?.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
        first?.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800"),
        first?.replace("content-length%3B", ""),
        first?.split("?")[0],
      ]
      for (const url of tampered) expect((await put(url, new Uint8Array(100))).status).toBe(403)
      expect((await ask("GET", first ?? "")).status).toBe(403)
      expect((await ask("DELETE", first ?? "")).status).toBe(403)
      expect((await put(first, new Uint8Array(100))).status).toBe(200)
      expect((await put(first, new Uint8Array(100))).status).toBe(412)
      expect((await put(second, new Uint8Array(100))).status).toBe(200)
    })

    test("takes as many bytes as were said, no more and no fewer", async () => {
      const [part] = (await created({ parts: thirds })).parts
      expect((await put(part?.url, new Uint8Array(99))).status).toBe(403)
      expect((await put(part?.url, new Uint8Array(101))).status).toBe(403)
      expect((await put(part?.url, new Uint8Array(100))).status).toBe(200)
    })

    test("that has expired is refused, and a fresh one is there for the asking", async () => {
      const { videoId } = await created({ parts: thirds })
      const secrets = secretsOf(here())
      const sign = presigner({
        publicUrl: new URL(here().storeUrl),
        region: "local",
        bucket: "reelog",
        accessKeyId: secrets.s3AccessKeyId,
        secretAccessKey: secrets.s3SecretAccessKey,
        forcePathStyle: true,
      })
      const part = { key: `sources/${videoId}/00001`, byteLength: 100, expiresSeconds: 60 }
      expect((await put(sign(part, Date.now() - 120_000).href, new Uint8Array(100))).status).toBe(
        403,
      )
      const { missing } = (await ask("GET", `/v1/videos/${videoId}/upload`, { headers: asOwner() }))
        .body
      expect(missing.map(({ number }) => number)).toEqual([1, 2, 3])
      expect((await put(missing[0]?.url, new Uint8Array(100))).status).toBe(200)
    })
  })

  describe("an upload", () => {
    test("can't be completed while parts are missing, which are named", async () => {
      const { videoId, parts } = await created({ parts: thirds })
      const sent = await put(parts[1]?.url, new Uint8Array(100))
      const etag = sent.headers.get("etag")
      await send("POST", `/v1/videos/${videoId}/parts`, { parts: [{ number: 2, etag }] })
      const early = await send("POST", `/v1/videos/${videoId}/complete`, {})
      expect(codeOf(early)).toEqual([409, "upload_incomplete"])
      expect(JSON.parse(early.text).missing).toEqual([1, 3])
    })

    test("believes no report of a part that is not there, is another, or was never asked for", async () => {
      const { videoId, parts } = await created({ parts: thirds })
      const report = async (number: number, etag: string) =>
        codeOf(await send("POST", `/v1/videos/${videoId}/parts`, { parts: [{ number, etag }] }))
      expect(await report(1, '"made-up"')).toEqual([409, "part_missing"])
      await put(parts[0]?.url, new Uint8Array(100))
      expect(await report(1, '"made-up"')).toEqual([409, "part_differs"])
      expect(await report(4, '"made-up"')).toEqual([422, "part_unknown"])
    })

    test("whose parts overlap, leave a hole or are too many is refused", async () => {
      const [one, two] = thirds
      for (const parts of [[one, one, two], [one, two], [{ offset: 0, length: 301 }], []]) {
        expect(codeOf(await send("POST", "/v1/videos", { ...film, parts }))).toEqual([
          422,
          "parts_do_not_tile",
        ])
      }
      const many = Array.from({ length: 10_001 }, (_, offset) => ({ offset, length: 1 }))
      const refused = await send("POST", "/v1/videos", { ...film, byteLength: 10_001, parts: many })
      expect(refused.status).toBe(422)
    })

    test("under a used Idempotency-Key is the same video, or refused when it asks for another", async () => {
      const key = { "idempotency-key": "one and the same" }
      const first = await send("POST", "/v1/videos", film, key)
      const again = await send("POST", "/v1/videos", film, key)
      expect(again.body.videoId).toBe(first.body.videoId)
      const other = await send("POST", "/v1/videos", { ...film, title: "Another" }, key)
      expect(codeOf(other)).toEqual([422, "idempotency_key_reused"])
      const long = await send("POST", "/v1/videos", film, { "idempotency-key": "k".repeat(201) })
      expect(long.status).toBe(400)
    })
  })

  describe("progress", () => {
    test("that was broken off goes on after the last event, and repeats nothing", async () => {
      const path = madeVideo(here().directory, "short.mp4", 6, "320x180")
      const bytes = await Bun.file(path).bytes()
      const { videoId, parts } = await created({ byteLength: bytes.byteLength })
      const [part] = parts
      const sent = await put(part?.url, bytes)
      const etag = sent.headers.get("etag")
      const live = framesUntil(here().url, videoId, "published")
      await send("POST", `/v1/videos/${videoId}/parts`, { parts: [{ number: 1, etag }] })
      await send("POST", `/v1/videos/${videoId}/complete`, {})
      const whole = await live
      const events = new Set(whole.map(({ event }) => event))
      expect([...events].sort()).toEqual(["playable", "published", "rendition", "upload"])
      for (const [index, { id }] of whole.entries()) {
        if (id === undefined || index === whole.length - 1) continue
        const rest = await framesUntil(here().url, videoId, "published", { "last-event-id": id })
        expect(rest).toEqual(whole.slice(index + 1))
      }
    }, 60_000)
  })
}
