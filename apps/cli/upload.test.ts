import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Fiber, Layer, type Scope } from "effect"
import { Api, makeApi } from "./api.ts"
import { fakePlatform } from "./fake-platform.ts"
import { Problem } from "./problem.ts"
import { jsonScreen } from "./screen.ts"
import { upload } from "./upload.ts"
import type { Milestone } from "./watch.ts"

const MIB = 2 ** 20

/** An MP4 whose index is its last box, of 10 MiB. */
const film = () => {
  const bytes = new Uint8Array(10 * MIB)
  crypto.getRandomValues(bytes.subarray(0, 65_536))
  const view = new DataView(bytes.buffer)
  const box = (at: number, size: number, type: string) => {
    view.setUint32(at, size)
    bytes.set(new TextEncoder().encode(type), at + 4)
  }
  box(0, 24, "ftyp")
  box(24, 10 * MIB - 24 - 4096, "mdat")
  box(10 * MIB - 4096, 4096, "moov")
  return bytes
}

const setUp = Effect.gen(function* () {
  const platform = fakePlatform()
  const url = yield* platform.start
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "cli-test-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true })),
  )
  const file = join(directory, "film.mp4")
  const bytes = film()
  writeFileSync(file, bytes)
  const lines: Array<Record<string, unknown>> = []
  const api = Layer.succeed(Api, makeApi({ url, token: "token" }))
  const screen = jsonScreen((text) => {
    lines.push(JSON.parse(text))
    platform.changed()
  })
  const send = (wait: Milestone = "uploaded", title?: string) =>
    upload({ file, title, wait, stateDirectory: join(directory, "state") }).pipe(
      Effect.provide(Layer.merge(api, screen)),
    )
  return { platform, bytes, lines, send, file }
})
type SetUp = Effect.Success<typeof setUp>

const inside = (story: (all: SetUp) => Effect.Effect<void, unknown, Scope.Scope>) =>
  Effect.runPromise(Effect.flatMap(setUp, story).pipe(Effect.scoped))

const joined = (platform: SetUp["platform"], videoId: unknown) => {
  const taken = platform.uploads.get(String(videoId))
  const bodies = taken?.parts.map(({ number }) => taken.bodies.get(number) ?? new Uint8Array())
  return Buffer.concat(bodies ?? [])
}

const codeOf = (exit: Exit.Exit<unknown, unknown>) => {
  const failure = Exit.isFailure(exit)
    ? exit.cause.reasons.find((reason) => reason._tag === "Fail")
    : undefined
  return failure?.error instanceof Problem ? failure.error.code : undefined
}

describe("an upload", () => {
  test("sends the file exactly, its index first, and tells the video last", () =>
    inside(({ platform, bytes, lines, send }) =>
      Effect.gen(function* () {
        yield* send()
        const result = lines.at(-1)
        expect(result).toMatchObject({ title: "film", state: "processing" })
        expect(joined(platform, result?.videoId).equals(bytes)).toBe(true)
        const { parts } = [...platform.uploads.values()][0] ?? { parts: [] }
        expect(platform.puts.slice(0, 4)).toContain(parts.length)
        expect(lines.map(({ event }) => event)).toContain("uploaded")
      }),
    ))

  test("survives parts that fail, parts that are there already, and a platform that is away", () =>
    inside(({ platform, bytes, lines, send }) =>
      Effect.gen(function* () {
        platform.trouble.puts.push(500, 503, 403)
        platform.trouble.requests.push(503, 503)
        yield* send()
        expect(joined(platform, lines.at(-1)?.videoId).equals(bytes)).toBe(true)
      }),
    ))

  test("sends a part again that arrived damaged", () =>
    inside(({ platform, bytes, lines, send }) =>
      Effect.gen(function* () {
        platform.trouble.damagedPart = 2
        yield* send()
        expect(platform.puts.filter((number) => number === 2).length).toBeGreaterThan(1)
        expect(joined(platform, lines.at(-1)?.videoId).equals(bytes)).toBe(true)
      }),
    ))

  test("that was interrupted goes on with what is missing", () =>
    inside(({ platform, bytes, lines, send }) =>
      Effect.gen(function* () {
        platform.trouble.stuckPart = 3
        const first = yield* Effect.forkScoped(send())
        // All but the one that is stuck.
        const count = () => [...platform.uploads.values()][0]?.parts.length ?? 99
        yield* platform.until(() => platform.reports.flat().length === count() - 1)
        yield* Fiber.interrupt(first)
        platform.trouble.stuckPart = 0
        platform.puts.length = 0
        yield* send()
        expect(platform.uploads.size).toBe(1)
        expect(platform.puts).toEqual([3])
        expect(joined(platform, lines.at(-1)?.videoId).equals(bytes)).toBe(true)
      }),
    ))

  test("of a file that was uploaded before is a new video", () =>
    inside(({ platform, send }) =>
      Effect.gen(function* () {
        yield* send()
        yield* send()
        expect(platform.uploads.size).toBe(2)
      }),
    ))

  test("waits for its milestone, also when it came before the last byte", () =>
    inside(({ platform, lines, send }) =>
      Effect.gen(function* () {
        platform.trouble.stuckPart = 3
        const waiting = yield* Effect.forkScoped(send("playable"))
        yield* platform.until(() => platform.uploads.size === 1)
        platform.tell("rendition", { rung: "240p", done: 1, total: 2 })
        platform.tell("playable")
        yield* platform.until(() => lines.some(({ event }) => event === "playable"))
        yield* Fiber.interrupt(waiting)
        platform.trouble.stuckPart = 0
        yield* send("playable")
        expect(lines.at(-1)).toMatchObject({ state: "playable" })
      }),
    ))

  test("hears of its publication over a connection that broke meanwhile, each event once", () =>
    inside(({ platform, lines, send }) =>
      Effect.gen(function* () {
        const waiting = yield* Effect.forkScoped(send("published"))
        yield* platform.until(() => platform.uploads.size === 1)
        platform.tell("rendition", { rung: "240p", done: 1, total: 2 })
        yield* platform.until(() => lines.some(({ event }) => event === "rendition"))
        platform.hangUp()
        platform.tell("rendition", { rung: "240p", done: 2, total: 2 })
        platform.tell("published")
        yield* Fiber.join(waiting)
        expect(lines.filter(({ event }) => event === "rendition")).toHaveLength(2)
        expect(lines.at(-1)).toMatchObject({ state: "published" })
      }),
    ))

  test("of a source that is refused ends at once with its code, whatever is still to be sent", () =>
    inside(({ platform, send }) =>
      Effect.gen(function* () {
        platform.trouble.stuckPart = 3
        const sending = yield* Effect.forkScoped(send())
        yield* platform.until(() => platform.uploads.size === 1)
        platform.tell("failed", { code: "not_a_video" })
        expect(codeOf(yield* Fiber.await(sending))).toBe("not_a_video")
      }),
    ))

  test("that the platform refuses tells the platform's own code", () =>
    inside(({ platform, send }) =>
      Effect.gen(function* () {
        platform.trouble.create = Response.json(
          { title: "Too large", status: 413, code: "source_too_large", limit: 5 },
          { status: 413 },
        )
        const exit = yield* Effect.exit(send())
        expect(codeOf(exit)).toBe("source_too_large")
        expect(platform.puts).toEqual([])
      }),
    ))

  test("of no file says so without asking anyone", () =>
    inside(({ platform, send, file }) =>
      Effect.gen(function* () {
        rmSync(file)
        expect(codeOf(yield* Effect.exit(send()))).toBe("file_not_found")
        expect(platform.uploads.size).toBe(0)
      }),
    ))
})
