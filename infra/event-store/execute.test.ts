import { describe, expect, test } from "bun:test"
import { Effect, Layer, Stream } from "effect"
import { accept, alreadyDone, type Decider, reject } from "#domain/decider.ts"
import { takedownStream, type VideoId } from "#domain/ids.ts"
import type { TakedownEvent } from "#domain/takedown/events.ts"
import { verifyChain } from "./chain.ts"
import { anyVideo, lifted, ordered, runWith } from "./contract-events.ts"
import { eventId, execute, Region, StreamUnreadable } from "./execute.ts"
import { memoryEventStore } from "./memory.ts"
import { EventStore, type Recorded } from "./port.ts"

interface Toggle {
  readonly videoId: VideoId
  readonly to: "ordered" | "lifted"
}

/** Orders and lifts in turn; an order of a case that was never ordered is lifted by nobody. */
const toggle: Decider<string, Toggle, TakedownEvent, "NothingToLift"> = {
  stream: ({ videoId }) => takedownStream(videoId),
  initial: "nothing",
  decide: (state, { videoId, to }) => {
    if (state === to) return alreadyDone
    if (to === "ordered") return accept(ordered(videoId))
    return state === "nothing" ? reject("NothingToLift") : accept(lifted(videoId))
  },
  evolve: (_, { _tag }) => (_tag === "TakedownOrdered" ? "ordered" : "lifted"),
}

const run = runWith(memoryEventStore)
const by = (cause: string) => ({ cause, actor: "moderator" })

describe("a command", () => {
  test("is carried out, told who asked, and chained to what came before", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const stream = takedownStream(videoId)
        const one = yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        const two = yield* execute(
          toggle,
          { videoId, to: "lifted" },
          { ...by("b"), correlationId: "upload", causationId: "event" },
        )
        expect([one.revision, two.revision]).toEqual([0, 1])
        const recorded = yield* store.read(stream)
        expect(recorded[0]?.metadata).toMatchObject({ $correlationId: "a", $causationId: "a" })
        expect(recorded[1]).toMatchObject({
          id: eventId(stream, "b"),
          position: two.position,
          metadata: { $correlationId: "upload", $causationId: "event", region: "here" },
        })
        expect(recorded[1]?.metadata.prev).toMatch(/^[0-9a-f]{64}$/)
        expect(verifyChain(recorded)).toEqual([])
      }).pipe(Effect.provideService(Region, "here")),
    ))

  test("that changes nothing answers where the stream stands, or the end of the log", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const [videoId, other] = [anyVideo(), anyVideo()]
        const first = yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        const again = yield* execute(toggle, { videoId, to: "ordered" }, by("b"))
        expect(again).toEqual(first)
        const nothing = { ...toggle, decide: () => alreadyDone }
        const answer = yield* execute(nothing, { videoId: other, to: "ordered" }, by("c"))
        expect(answer).toEqual({ revision: -1, position: yield* store.end })
      }),
    ))

  test("repeated after another one undid it answers as the first time and records nothing", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const first = yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        yield* execute(toggle, { videoId, to: "lifted" }, by("b"))
        const repeated = yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        expect(repeated).toEqual(first)
        expect(yield* store.read(takedownStream(videoId))).toHaveLength(2)
      }),
    ))

  test("that is rejected records nothing", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const rejection = yield* Effect.flip(execute(toggle, { videoId, to: "lifted" }, by("a")))
        expect(rejection).toBe("NothingToLift")
        expect(yield* store.read(takedownStream(videoId))).toEqual([])
      }),
    ))

  test("is decided again when a rival was faster", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        const both = { ...toggle, decide: () => accept(ordered(videoId)) }
        const answers = yield* Effect.forEach(
          Array.from({ length: 16 }).keys(),
          (rival) => execute(both, { videoId, to: "ordered" }, by(`rival ${rival}`)),
          { concurrency: "unbounded" },
        )
        expect(answers.map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([
          ...Array(16).keys(),
        ])
        expect(verifyChain(yield* store.read(takedownStream(videoId)))).toEqual([])
      }),
    ))

  test("made on a revision that is no longer the last is refused at once, unless it was this very command", () =>
    run(
      Effect.gen(function* () {
        const videoId = anyVideo()
        yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        const done = yield* execute(toggle, { videoId, to: "lifted" }, { ...by("b"), expected: 0 })
        const late = yield* Effect.flip(
          execute(toggle, { videoId, to: "ordered" }, { ...by("c"), expected: 0 }),
        )
        expect(late).toMatchObject({ _tag: "RevisionConflict", expected: 0, actual: 1 })
        const repeated = yield* execute(
          toggle,
          { videoId, to: "lifted" },
          { ...by("b"), expected: 0 },
        )
        expect(repeated).toEqual(done)
      }),
    ))

  test("is not decided on a history that cannot be read", () => {
    const unreadable: Recorded = {
      stream: "takedown-x",
      revision: 3,
      position: "1",
      id: crypto.randomUUID(),
      event: { _tag: "Unreadable", type: "FromTheFuture", issue: "unknown type" },
      metadata: { $correlationId: "", $causationId: "", actor: "", region: "", version: 9 },
      recordedAt: 0,
    }
    const store = Layer.mock(EventStore, {
      read: () => Effect.succeed([unreadable]),
      end: Effect.succeed("0"),
      readAll: () => Stream.empty,
    })
    return runWith(store)(
      Effect.gen(function* () {
        const failure = yield* Effect.flip(
          execute(toggle, { videoId: anyVideo(), to: "lifted" }, by("a")),
        )
        expect(failure).toEqual(
          new StreamUnreadable({ stream: "takedown-x", revision: 3, type: "FromTheFuture" }),
        )
      }),
    )
  })
})

describe("the hash chain", () => {
  test("shows where history was edited", () =>
    run(
      Effect.gen(function* () {
        const store = yield* EventStore
        const videoId = anyVideo()
        yield* execute(toggle, { videoId, to: "ordered" }, by("a"))
        yield* execute(toggle, { videoId, to: "lifted" }, by("b"))
        yield* execute(toggle, { videoId, to: "ordered" }, by("c"))
        const recorded = yield* store.read(takedownStream(videoId))
        const edited = recorded.map((event) =>
          event.revision === 1
            ? { ...event, stored: { type: "TakedownLifted", data: { ...lifted(videoId), at: 1 } } }
            : event,
        )
        expect(verifyChain(edited).map(({ revision }) => revision)).toEqual([2])
        const missing = recorded.filter(({ revision }) => revision !== 1)
        expect(verifyChain(missing).map(({ revision }) => revision)).toEqual([2])
      }),
    ))
})
