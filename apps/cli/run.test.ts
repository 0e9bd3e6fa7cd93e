import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, type Scope } from "effect"
import { MediaTools } from "#infra/media/port.ts"
import { fakePlatform } from "./fake-platform.ts"
import { run } from "./run.ts"

const setUp = Effect.gen(function* () {
  const platform = fakePlatform()
  const url = yield* platform.start
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "cli-test-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true })),
  )
  writeFileSync(join(directory, "platform.json"), JSON.stringify({ url, edgeUrl: url, pid: 1 }))
  writeFileSync(join(directory, "owner-token"), "token\n")
  writeFileSync(join(directory, "film.mp4"), "not much of a film")
  const reelog = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
    const said = { out: "", err: "" }
    const code = yield* run(args, {
      version: "1",
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      bars: undefined,
      stateDirectory: join(directory, "state"),
      mediaTools: Layer.mock(MediaTools, { sandbox: "bwrap", build: "made up" }),
    })
    const last = said.out.trimEnd().split("\n").at(-1) ?? ""
    return { ...said, code, json: () => JSON.parse(last) as Record<string, unknown> }
  })
  const send = (...args: ReadonlyArray<string>) =>
    reelog("upload", join(directory, "film.mp4"), "--data", directory, ...args)
  return { platform, directory, reelog, send }
})
type SetUp = Effect.Success<typeof setUp>

const inside = (
  story: (all: SetUp) => Effect.Effect<void, unknown, Scope.Scope | NodeServices.NodeServices>,
) =>
  Effect.runPromise(
    Effect.flatMap(setUp, story).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  )

describe("a command", () => {
  test("for a program speaks NDJSON whose last line is the result", () =>
    inside(({ directory, reelog, send }) =>
      Effect.gen(function* () {
        const uploaded = yield* send("--title", "A film", "--json")
        expect(uploaded.code).toBe(0)
        expect(uploaded.err).toBe("")
        const { videoId, ...video } = uploaded.json()
        expect(video).toMatchObject({ state: "processing", title: "A film" })
        expect(Object.keys(video)).toEqual(
          expect.arrayContaining(["watchUrl", "hlsUrl", "dashUrl"]),
        )

        const history = yield* reelog("history", String(videoId), "--json", "--data", directory)
        const lines = history.out.trimEnd().split("\n")
        expect(lines).toHaveLength(3)
        expect(history.json()).toEqual({ videoId, eventCount: 2 })
      }),
    ))

  test("for a person speaks in sentences", () =>
    inside(({ directory, reelog, send }) =>
      Effect.gen(function* () {
        const { out, code } = yield* send()
        expect(code).toBe(0)
        expect(out).toContain("uploading film.mp4")
        expect(out).toContain("state  processing")
        const [videoId = ""] = /loc\w{16}/.exec(out) ?? []
        const down = yield* reelog(
          ...["takedown", videoId, "--reason", "copyright", "--data", directory],
        )
        expect(down.out).toContain("has been taken down (copyright)")
      }),
    ))

  test("that fails exits 1 with the platform's code, as JSON or as a sentence", () =>
    inside(({ directory, reelog }) =>
      Effect.gen(function* () {
        const json = yield* reelog("show", "loc0123456789abcdef", "--json", "--data", directory)
        expect(json.code).toBe(1)
        expect(json.json()).toMatchObject({ code: "video_not_found", status: 404 })
        const text = yield* reelog("show", "loc0123456789abcdef", "--data", directory)
        expect(text.code).toBe(1)
        expect(text.err).toBe("reelog: No (video_not_found)\n")
      }),
    ))

  test("that is mistyped says what is wrong, without help among the JSON", () =>
    inside(({ reelog }) =>
      Effect.gen(function* () {
        for (const args of [["show"], ["shew"], ["takedown", "x", "--reason", "envy"]]) {
          const { code, out, json } = yield* reelog(...args, "--json")
          expect(code).toBe(1)
          expect(out.trimEnd().split("\n")).toHaveLength(1)
          expect(json()).toMatchObject({ code: "usage" })
        }
      }),
    ))

  test("without a platform says where it looked", () =>
    inside(({ directory, reelog }) =>
      Effect.gen(function* () {
        const elsewhere = join(directory, "nothing-here")
        const { err, code } = yield* reelog("queue", "--data", elsewhere)
        expect(code).toBe(1)
        expect(err).toContain(elsewhere)
        expect(err).toContain("platform_not_found")
      }),
    ))
})

describe("verify", () => {
  test("is well when every check is", () =>
    inside(({ directory, reelog }) =>
      Effect.gen(function* () {
        const { code, json } = yield* reelog("verify", "--json", "--data", directory)
        expect(code).toBe(0)
        expect(json()).toEqual({ ok: true, lineCount: 1 })
      }),
    ))

  test("that looked at nothing is not well", () =>
    inside(({ platform, directory, reelog }) =>
      Effect.gen(function* () {
        platform.verified.length = 0
        const { code, json } = yield* reelog("verify", "--json", "--data", directory)
        expect(code).toBe(1)
        expect(json()).toMatchObject({ code: "nothing_looked_at" })
      }),
    ))

  test("fails when one is not, and tells which", () =>
    inside(({ platform, directory, reelog }) =>
      Effect.gen(function* () {
        const wrong = { check: "objects", looked: 2, problems: [{ key: "x" }], ok: false }
        platform.verified.push(wrong)
        const { code, json } = yield* reelog("verify", "--json", "--data", directory)
        expect(code).toBe(1)
        expect(json()).toMatchObject({ code: "verify_failed", wrong: [wrong] })
      }),
    ))
})
