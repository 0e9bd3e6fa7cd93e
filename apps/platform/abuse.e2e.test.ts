/** What a platform answers to whoever is careless or hostile: a stable code, never a 500, never a stack. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { api } from "../api/app.ts"
import { namesAreTexts } from "./abuse-names.ts"
import { uploadsAreGuarded } from "./abuse-uploads.ts"
import { askingOf, codeOf, film, json } from "./asking.ts"
import { forget, sessionOf, startPlatform, type TestPlatform } from "./testing.ts"

const UNKNOWN = "loc0000000000000000"
const FUTURE = "99999999999999999999"
const MIB = 2 ** 20

let platform: TestPlatform
const asking = askingOf(() => platform)
const { answers, ask, asOwner, send, created } = asking

beforeAll(async () => {
  platform = await startPlatform({ workers: 1 })
})
afterAll(async () => {
  const exit = await platform.stop()
  forget(platform)
  expect(exit).toBe(0)
})

uploadsAreGuarded(asking)
namesAreTexts(asking)

describe("a request", () => {
  test("for an unknown id finds nothing, whatever it asks", async () => {
    const asks = [
      ask("GET", `/v1/videos/${UNKNOWN}`),
      ask("GET", `/v1/videos/${UNKNOWN}?at=1`),
      ask("GET", `/v1/videos/${UNKNOWN}/events`),
      ask("GET", `/v1/videos/${UNKNOWN}/history`, { headers: asOwner() }),
      ask("GET", `/v1/videos/${UNKNOWN}/upload`, { headers: asOwner() }),
      send("PATCH", `/v1/videos/${UNKNOWN}`, { title: "T" }),
      send("POST", `/v1/videos/${UNKNOWN}/parts`, { parts: [{ number: 1, etag: "e" }] }),
      send("POST", `/v1/videos/${UNKNOWN}/complete`, {}),
      send("POST", `/v1/videos/${UNKNOWN}/takedown`, { reason: "copyright" }),
      send("DELETE", `/v1/videos/${UNKNOWN}/takedown`, {}),
      ask("GET", "/v1/nothing"),
      ask("GET", `/watch/${UNKNOWN}`),
      ask("GET", `${platform.edgeUrl}/v/${UNKNOWN}/main.m3u8`),
    ]
    for (const { asked, status } of await Promise.all(asks)) {
      expect([asked, status]).toEqual([asked, 404])
    }
  })

  test("for an id that looks like a path finds nothing", async () => {
    const ids = [
      "..%2f..%2fetc%2fpasswd",
      "%2e%2e%2fsecrets.json",
      "..%5c..%5csecrets.json",
      "loc0000000000000000%00",
      "loc0000000000000000%2f..",
      "%zz",
      "%ff",
      "' or 1=1 --",
      "LOC0000000000000000",
      "a".repeat(5000),
    ]
    for (const id of ids) {
      const asks = [
        ask("GET", `/v1/videos/${id}`),
        ask("GET", `/v1/videos/${id}/history`, { headers: asOwner() }),
        send("POST", `/v1/videos/${id}/takedown`, { reason: "copyright" }),
        ask("GET", `/watch/${id}`),
        ask("GET", `/assets/${id}`),
        ask("GET", `${platform.edgeUrl}/v/${id}/main.m3u8`),
        ask("GET", `${platform.edgeUrl}/v/${UNKNOWN}/${id}`),
      ]
      for (const { asked, status } of await Promise.all(asks)) {
        expect([asked, status]).toEqual([asked, 404])
      }
    }
  })

  test("whose body is not JSON, not declared as JSON, or too long is refused", async () => {
    const post = (body: BodyInit, headers: Readonly<Record<string, string>> = {}) =>
      ask("POST", "/v1/videos", { body, headers: asOwner(headers) })
    for (const body of ['{"title":', "", "\0", "[1,2", "undefined"]) {
      expect(codeOf(await post(body))).toEqual([400, "bad_json"])
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      const refused = await post(JSON.stringify(film), { "content-type": type })
      expect(codeOf(refused)).toEqual([415, "not_json"])
    }
    expect(codeOf(await post(" ".repeat(MIB + 1)))).toEqual([413, "body_too_large"])
    const unannounced = new ReadableStream<Uint8Array>({
      start: (stream) => {
        for (let sent = 0; sent <= MIB; sent += 2 ** 16) stream.enqueue(new Uint8Array(2 ** 16))
        stream.close()
      },
    })
    expect((await post(unannounced)).status).toBe(413)
  })

  test("with an unknown, missing or wrong field is refused, and the field is named", async () => {
    const unknown = await send("POST", "/v1/videos", { ...film, colour: "red" })
    expect(codeOf(unknown)).toEqual([422, "invalid_request"])
    expect(unknown.text).toContain("colour")
    const wrong = [
      {},
      [],
      null,
      { ...film, title: "" },
      { ...film, title: "t".repeat(201) },
      { ...film, byteLength: -1 },
      { ...film, byteLength: 1.5 },
      { ...film, byteLength: "300" },
      { ...film, visibility: "everyone" },
      { ...film, parts: [{ offset: 0, length: 300, url: "http://elsewhere.test" }] },
      JSON.parse('{"title":"T","fileName":"f","byteLength":1,"__proto__":{"isOwner":true}}'),
    ]
    for (const body of wrong) {
      expect(codeOf(await send("POST", "/v1/videos", body))).toEqual([422, "invalid_request"])
    }
    const { videoId } = await created()
    const takedown = await send("POST", `/v1/videos/${videoId}/takedown`, { reason: "dislike" })
    expect(takedown.status).toBe(422)
  })

  test("with a malformed query is refused", async () => {
    const queries = ["after=soon", "after=-1", "limit=0", "limit=101", "limit=ten", "cursor=%ff"]
    for (const query of queries) {
      expect(codeOf(await ask("GET", `/v1/videos?${query}`))).toEqual([400, "bad_query"])
    }
    const { videoId } = await created()
    expect((await ask("GET", `/v1/videos/${videoId}?at=yesterday`)).status).toBe(400)
  })

  test("under another revision changes nothing", async () => {
    const { videoId } = await created()
    const path = `/v1/videos/${videoId}`
    const change = (title: string, etag: string) =>
      send("PATCH", path, { title }, { "if-match": etag })
    const changed = await change("Second", '"0"')
    expect([changed.status, changed.headers.get("etag")]).toEqual([200, '"1"'])
    expect(codeOf(await change("Third", '"0"'))).toEqual([412, "revision_conflict"])
    expect(codeOf(await change("Third", '"7"'))).toEqual([412, "revision_conflict"])
    expect((await change("Third", "the newest")).status).toBe(400)
    const shown = await ask("GET", `${path}?after=${changed.headers.get("reelog-position")}`)
    expect(shown.text).toContain("Second")
    expect((await change("Third", "*")).status).toBe(200)
  })

  test("for a position that does not exist yet is told to come back within six seconds", async () => {
    const began = Date.now()
    const { videoId } = await created()
    const [list, one] = await Promise.all([
      ask("GET", `/v1/videos?after=${FUTURE}`),
      ask("GET", `/v1/videos/${videoId}?after=${FUTURE}`),
    ])
    expect(Date.now() - began).toBeLessThan(6000)
    for (const answered of [list, one]) {
      expect(codeOf(answered)).toEqual([503, "read_model_behind"])
      expect(Number(answered.headers.get("retry-after"))).toBeGreaterThan(0)
    }
  })
})

interface Operation {
  readonly security?: ReadonlyArray<unknown>
}

describe("the description at /openapi.json", () => {
  const described = async () => {
    const { text } = await ask("GET", "/openapi.json")
    const { paths } = JSON.parse(text) as {
      paths: Record<string, Record<string, Operation>>
    }
    return Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    )
  }

  test("leaves out no route", async () => {
    const told = (await described()).map(({ method, path }) => `${method} ${path}`).sort()
    const routes = api(() => Promise.reject(new Error("nothing is asked here")))
      .routes.filter(({ path }) => !/^\/(docs|openapi)|\*/.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`)
      .sort()
    expect(told).toEqual(routes)
  })

  test("names no write, and nothing that asks for a token, that a stranger may do", async () => {
    const guarded = (await described()).filter(
      ({ method, operation }) => method !== "GET" || operation.security !== undefined,
    )
    expect(guarded.length).toBeGreaterThan(8)
    const { videoId } = await created()
    const session = await sessionOf(platform)
    const strangers: ReadonlyArray<Readonly<Record<string, string>>> = [
      {},
      { authorization: "Bearer" },
      { authorization: "Bearer not-the-token" },
      { authorization: `Basic ${btoa(`owner:${platform.token}`)}` },
      { authorization: `Bearer ${platform.token}x` },
      { cookie: `${session.name}=${session.value}x` },
    ]
    for (const { method, path } of guarded) {
      for (const stranger of strangers) {
        const init = { method, headers: { ...json, ...stranger } }
        const body = method === "GET" ? {} : { body: "{}" }
        const { asked, ...answered } = await ask(method, path.replace("{id}", videoId), {
          ...init,
          ...body,
        })
        expect([asked, ...codeOf({ asked, ...answered })]).toEqual([asked, 401, "unauthorized"])
      }
    }
    // A page of another site sends the owner's cookie along, and its own origin with it.
    const cookie = `${session.name}=${session.value}`
    const patch = (origin: string) =>
      ask("PATCH", `/v1/videos/${videoId}`, {
        body: JSON.stringify({ title: "Mine now" }),
        headers: { ...json, cookie, origin },
      })
    expect((await patch("http://elsewhere.test")).status).toBe(401)
    expect((await patch(platform.url)).status).toBe(200)
  })
})

test("a private video is not there for strangers, nor what it was, nor what becomes of it", async () => {
  const { videoId } = await created()
  const path = `/v1/videos/${videoId}`
  const was = await send("PATCH", path, { title: "Still public" })
  const before = was.headers.get("reelog-position")
  const hidden = await send("PATCH", path, { visibility: "private" })
  const after = hidden.headers.get("reelog-position")
  for (const rest of [`?after=${after}`, `?at=${before}`, "/events"]) {
    expect([rest, (await ask("GET", path + rest)).status]).toEqual([rest, 404])
  }
  const past = await ask("GET", `${path}?at=${before}`, { headers: asOwner() })
  expect(JSON.parse(past.text)).toMatchObject({ title: "Still public", visibility: "public" })
})

test("a video that is taken down is closed to strangers, its past too, and open to its owner", async () => {
  const { videoId } = await created()
  const path = `/v1/videos/${videoId}`
  const was = await send("PATCH", path, { title: "Soon gone" })
  const before = was.headers.get("reelog-position")
  const closed = await send("POST", `${path}/takedown`, { reason: "copyright" })
  const after = closed.headers.get("reelog-position")
  for (const rest of [`?after=${after}`, `?at=${before}`, "/events"]) {
    const refused = await ask("GET", path + rest)
    expect([rest, ...codeOf(refused)]).toEqual([rest, 451, "video_taken_down"])
    expect(refused.text).not.toContain("Soon gone")
  }
  const page = await ask("GET", `/watch/${videoId}`)
  expect([page.status, page.text.includes("Soon gone")]).toEqual([451, false])
  for (const rest of ["", `?at=${before}`]) {
    const owners = await ask("GET", path + rest, { headers: asOwner() })
    expect(owners.text).toContain("Soon gone")
  }
})

test("the queues name no task to strangers", async () => {
  const lists = ["taskQueue", "waiting", "runningQueue"]
  const told = JSON.parse((await ask("GET", "/v1/queue")).text)
  expect(lists.map((name) => told[name])).toEqual([[], [], []])
  expect(told.workerQueue.length).toBeGreaterThan(0)
  expect((await ask("GET", "/v1/queue", { headers: asOwner() })).status).toBe(200)
})

test("nothing in all this was answered with a 500, a stack or a path of the machine", () => {
  expect(answers.length).toBeGreaterThan(200)
  const broken = answers.filter(
    ({ status, body }) => status >= 500 && body.code !== "read_model_behind",
  )
  expect(broken.map(({ asked, status, text }) => [asked, status, text])).toEqual([])
  const inside = [/\bat .+:\d+:\d+/, /node_modules/, /\bError: /, /\.tsx?:\d+/, platform.directory]
  const told = answers.filter(
    ({ text }) => !text.startsWith("<!doctype") && inside.some((it) => text.match(it)),
  )
  expect(told.map(({ asked, text }) => [asked, text.slice(0, 300)])).toEqual([])
  const unnamed = answers.filter(
    ({ status, asked, headers, body }) =>
      status >= 400 &&
      asked.includes(" /v1/") &&
      !(headers.get("content-type") === "application/problem+json" && body.code !== undefined),
  )
  expect(unnamed.map(({ asked, status, text }) => [asked, status, text])).toEqual([])
})
