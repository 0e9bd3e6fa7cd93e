import { describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { channelStream } from "#domain/ids.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { openOwnersChannel } from "./background.ts"
import { type Asking, insideOver } from "./testing.ts"

const over = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})
const inside = <E>(story: (asking: Pipelines) => Effect.Effect<void, E, EventStore>) =>
  over((asking) => Effect.andThen(openOwnersChannel, story(pipelinesOf(asking))))

const textOf = (name: string) =>
  Effect.promise(() => Bun.file(`${import.meta.dir}/../../domain/transcode/${name}`).text())
const path = "/v1/channels/main/pipeline"

const pipelinesOf = ({ fetch, ask }: Asking) => ({
  ask,
  put: (text: BodyInit, headers: Readonly<Record<string, string>> = {}, to = path) =>
    Effect.promise(async () => {
      const type = { "content-type": "text/plain", ...headers }
      const answered = await fetch("owner", to, { method: "PUT", body: text, headers: type })
      return {
        status: answered.status,
        etag: answered.headers.get("etag"),
        position: answered.headers.get("reelog-position"),
        body: JSON.parse(await answered.text()),
      }
    }),
  show: Effect.map(ask("owner", path), ({ text }) => JSON.parse(text)),
})
type Pipelines = ReturnType<typeof pipelinesOf>

const own = {
  pipeline: "own",
  config: { url: "url", wish: "json" },
  tasks: [
    { name: "get", type: "Download", input: { url: "$config.url" }, output: { file: "it.file" } },
    { name: "all", type: "Transcode", input: { input: "$context.file", config: {} } },
  ],
}
const sound = JSON.stringify({ ...own, config: { url: "url" } })

describe("a channel's pipeline", () => {
  test("is the built-in one, shown as it is written, until another is chosen", () =>
    inside(({ show, put, ask }) =>
      Effect.gen(function* () {
        const before = yield* show
        expect(before).toMatchObject({ channelId: "main", pipeline: "default", isOwn: false })
        expect(before.text).toBe(yield* textOf("default.yaml"))
        const yaml = yield* textOf("download-transcode.yaml")
        const chosen = yield* put(yaml, { "content-type": "application/yaml" })
        expect(chosen).toMatchObject({ status: 200, etag: '"1"' })
        expect(yield* show).toMatchObject({
          ...{ pipeline: "download-transcode", isOwn: true, mistakes: [], text: yaml },
          steps: [{ name: "download-input" }, { name: "transcode", after: ["download-input"] }],
        })
        expect((yield* ask("owner", path, "DELETE")).status).toBe(200)
        expect(yield* show).toEqual(before)
      }),
    ))

  test("may be written as YAML, as JSON or in the notation", () =>
    inside(({ put, show }) =>
      Effect.gen(function* () {
        const notation = (yield* textOf("download-transcode.dag")).replace("Downlaod'", "Download'")
        const texts = [notation, sound, yield* textOf("default.yaml")]
        for (const text of texts) {
          expect((yield* put(text)).status).toBe(200)
          expect(yield* show).toMatchObject({ text, isOwn: true })
        }
        expect((yield* put(sound, { "content-type": "application/json" })).status).toBe(200)
      }),
    ))

  test("chosen twice is recorded once, and under another revision not at all", () =>
    inside(({ put }) =>
      Effect.gen(function* () {
        expect((yield* put(sound)).etag).toBe('"1"')
        expect((yield* put(sound)).etag).toBe('"1"')
        const conflict = yield* put("pipeline: b", { "if-match": '"0"' })
        expect(conflict.status).toBe(422) // what is wrong with the text comes first
        const yaml = yield* textOf("download-transcode.yaml")
        expect((yield* put(yaml, { "if-match": '"0"' })).body.code).toBe("revision_conflict")
        const history = yield* (yield* EventStore).read(channelStream("main"))
        expect(history.map(({ event }) => event._tag)).toEqual(["ChannelOpened", "PipelineChosen"])
      }),
    ))

  test("with mistakes changes nothing and is told all of them", () =>
    inside(({ put, show }) =>
      Effect.gen(function* () {
        const misspelt = yield* put(yield* textOf("download-transcode.dag"))
        expect(misspelt.status).toBe(422)
        expect(misspelt.body).toMatchObject({
          code: "pipeline_mistaken",
          mistakes: [
            expect.stringContaining(
              '"Downlaod", which is not registered; did you mean "Download"?',
            ),
          ],
        })
        const [get, all] = own.tasks
        const tasks = [
          { ...get, type: "Downlod" },
          { ...all, next: ["gat"] },
        ]
        const { body } = yield* put(JSON.stringify({ ...own, tasks }))
        expect(body.mistakes).toEqual([
          'pipeline "own": task "get" has type "Downlod", which is not registered; did you mean "Download"?',
          'pipeline "own": task "all" names next "gat", which is not a task; did you mean "get"?',
          'pipeline "own": it asks for $config.wish, which no video has',
        ])
        expect((yield* show).isOwn).toBe(false)
      }),
    ))
})

test("the description tells in which ways a pipeline may be written", () =>
  inside(({ ask }) =>
    Effect.gen(function* () {
      const { text } = yield* ask("stranger", "/openapi.json")
      const { put } = JSON.parse(text).paths["/v1/channels/{id}/pipeline"]
      expect(Object.keys(put.requestBody.content)).toEqual(
        expect.arrayContaining(["application/yaml", "application/json", "text/plain"]),
      )
    }),
  ))

describe("nobody", () => {
  test("gets further with a text that is none, too long, or of another type", () =>
    inside(({ put, show }) =>
      Effect.gen(function* () {
        const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`
        const input = `{"pipeline":"a","tasks":[{"name":"a","type":"Transcode","input":{"config":`
        const nested = `${input}${deep}}}]}`
        const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(99)}]\nc: [${"*b,".repeat(99)}]`
        const proto = `{"pipeline":"a","tasks":[],"__proto__":{"tasks":[1]}}`
        const texts = ["", "\0", "null", "7", "[]", "task", "task {", "a: b: c", "!!js/x y"]
        for (const text of [...texts, deep, nested, bomb, proto]) {
          const { status, body } = yield* put(text)
          expect([text.slice(0, 20), status, body.code]).toEqual([
            ...[text.slice(0, 20), 422, "pipeline_mistaken"],
          ])
        }
        const long = yield* put(`# ${"x".repeat(32 * 1024)}`)
        expect([long.status, long.body.code]).toEqual([413, "pipeline_too_long"])
        const form = yield* put("a=b", { "content-type": "application/x-www-form-urlencoded" })
        expect([form.status, form.body.code]).toEqual([415, "not_pipeline_text"])
        expect((yield* show).isOwn).toBe(false)
      }),
    ))

  test("chooses for a channel of somebody else, or without a token", () =>
    inside(({ put, ask }) =>
      Effect.gen(function* () {
        for (const id of ["other", "..%2fmain", "%ff", "MAIN", "a".repeat(5000)]) {
          const told = yield* put(sound, {}, `/v1/channels/${id}/pipeline`)
          expect([id.slice(0, 9), told.status]).toEqual([id.slice(0, 9), 404])
        }
        for (const method of ["GET", "PUT", "DELETE"]) {
          expect((yield* ask("stranger", path, method)).code).toBe("unauthorized")
        }
      }),
    ))
})
