import { expect, test } from "bun:test"
import { Effect, Fiber, Layer, type Scope } from "effect"
import { sourcePart } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { Scratch } from "./scratch.ts"
import { Sources } from "./source.ts"
import {
  expireUpload,
  receivePart,
  requestUpload,
  uploadWhole,
  videoId,
  withScratch,
} from "./testing.ts"

const surroundings = (quotaBytes: number) =>
  Layer.provideMerge(
    withScratch({ quotaBytes }),
    Layer.mergeAll(memoryEventStore, memoryObjectStore),
  )
type Services = Layer.Success<ReturnType<typeof surroundings>>

const run = <A, E>(effect: Effect.Effect<A, E, Services | Scope.Scope>, quotaBytes = 2 ** 30) =>
  Effect.runPromise(Effect.provide(Effect.scoped(effect), surroundings(quotaBytes)))

const bytes = Uint8Array.from({ length: 250 }, (_, index) => index)
const part = (number: number) => bytes.subarray((number - 1) * 100, number * 100)
const ofVideo = Effect.flatMap(Sources, (all) => all.of(videoId))

test("a range that lies in two parts is read as one", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 100)
      const source = yield* ofVideo
      expect(yield* source.read({ from: 95, to: 205 })).toEqual(bytes.slice(95, 205))
      expect(yield* source.read({ from: 240, to: 400 })).toEqual(bytes.slice(240))
    }),
  ))

test("all bytes are a local file", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 100)
      const source = yield* ofVideo
      const path = yield* source.whole
      expect(yield* Effect.promise(() => Bun.file(path).bytes())).toEqual(bytes)
    }),
  ))

test("a read waits for the parts it needs, and for no others", () =>
  run(
    Effect.gen(function* () {
      yield* requestUpload(250, 100)
      yield* receivePart(3, part(3))
      const source = yield* ofVideo
      const late = yield* Effect.forkChild(source.read({ from: 50, to: 150 }))
      expect(yield* source.read({ from: 200, to: 250 })).toEqual(part(3).slice())
      yield* receivePart(2, part(2))
      yield* receivePart(1, part(1))
      expect(yield* Fiber.join(late)).toEqual(bytes.slice(50, 150))
    }),
  ))

test("a read ends when the upload is given up", () =>
  run(
    Effect.gen(function* () {
      yield* requestUpload(250, 100)
      const source = yield* ofVideo
      const waiting = yield* Effect.forkChild(Effect.flip(source.read({ from: 0, to: 10 })))
      yield* expireUpload
      expect((yield* Fiber.join(waiting))._tag).toBe("SourceAbandoned")
    }),
  ))

test("what was read once is not asked for again", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 100)
      const source = yield* ofVideo
      yield* source.whole
      yield* (yield* ObjectStore).remove([1, 2, 3].map((number) => sourcePart(videoId, number)))
      expect(yield* source.read({ from: 0, to: 250 })).toEqual(bytes)
    }),
  ))

test("a source that does not fit on the disk fails as recoverable, nothing is half read", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(bytes, 100)
      const source = yield* ofVideo
      expect((yield* Effect.flip(source.whole))._tag).toBe("ScratchUnavailable")
    }),
    200,
  ))

test("copies that nobody uses make room, the one used least recently first", () =>
  run(
    Effect.gen(function* () {
      const scratch = yield* Scratch
      const used = (name: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            const file = yield* scratch.file(name)
            yield* file.write(0, new Uint8Array(80))
          }),
        )
      const isWhole = (name: string) =>
        Effect.scoped(
          Effect.map(scratch.file(name), (it) => it.missing({ from: 0, to: 80 }).length === 0),
        )
      yield* used("a")
      yield* used("b")
      yield* used("c")
      expect(yield* isWhole("a")).toBe(false)
      expect(yield* isWhole("c")).toBe(true)
    }),
    200,
  ))
