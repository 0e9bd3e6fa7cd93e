import { expect, test } from "bun:test"
import { type Duration, Effect, Layer, type Scope } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { Cell, transcodeStream } from "#domain/ids.ts"
import { manifest, segment, sourcePart } from "#domain/keys.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { EncoderCrashed, SourceRefused } from "#infra/media/port.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { builtInStages } from "./app.ts"
import { lives } from "./life.ts"
import {
  eventually,
  expireUpload,
  madeUp,
  mediaTools,
  office,
  planned,
  receivePart,
  record,
  requestUpload,
  told,
  uploadWhole,
  videoId,
  withScratch,
} from "./testing.ts"

const surroundings = (media = mediaTools(), patience?: Duration.Input) =>
  Layer.provideMerge(
    withScratch({ patience }),
    Layer.mergeAll(memoryEventStore, memoryObjectStore, media),
  )
type Services = Layer.Success<ReturnType<typeof surroundings>>

const run = <A, E>(
  effect: Effect.Effect<A, E, Services | Scope.Scope>,
  changes: Parameters<typeof mediaTools>[0] = {},
  patience?: Duration.Input,
) =>
  Effect.runPromise(
    Effect.provide(Effect.scoped(effect), surroundings(mediaTools(changes), patience)),
  )

/** Both workers of a process, and a scheduler that keeps them busy. */
const platform = Effect.gen(function* () {
  const cell = Cell.make("loc")
  yield* Effect.forkScoped(lives({ cell, slots: 16, stages: builtInStages.light }))
  yield* Effect.forkScoped(lives({ cell, slots: 2, stages: builtInStages.encode }))
  yield* Effect.forkScoped(office)
})

const source = new Uint8Array(100).fill(7)
const is =
  <Tag extends DomainEvent["_tag"]>(tag: Tag) =>
  (event: DomainEvent): event is Extract<DomainEvent, { _tag: Tag }> =>
    event._tag === tag

test("a video that was uploaded becomes segments, pictures and playlists", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      yield* eventually(is("TranscodeCompleted"))

      const objects = yield* ObjectStore
      const text = (key: string) =>
        Effect.map(objects.get(key), (bytes) => new TextDecoder().decode(bytes))
      const main = yield* text(manifest(videoId, 1, "main.m3u8"))
      expect(main).toContain("240p.m3u8")
      expect(main).toContain('URI="audio.m3u8"')
      const list = yield* text(manifest(videoId, 1, "360p.m3u8"))
      expect(list).toContain("360p/1.m4s")
      expect(list).toContain("#EXT-X-ENDLIST")
      expect(yield* text(segment(videoId, 1, "360p", 1))).toBe("360p 1")
      const history = yield* told
      expect(history.filter(({ _tag }) => _tag === "TaskFailed")).toEqual([])
      // inspect, split, 2 pieces x 2 rungs, audio, text, thumbnails, storyboard, package, publish
      expect(history.filter(({ _tag }) => _tag === "TaskSucceeded")).toHaveLength(12)
    }),
  ))

test("the first seconds can be watched before the last bytes have come", () =>
  run(
    Effect.gen(function* () {
      yield* requestUpload(100, 50)
      yield* receivePart(1, source.subarray(0, 50))
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      const isFirst = (
        event: DomainEvent,
      ): event is Extract<DomainEvent, { _tag: "TaskSucceeded" }> =>
        event._tag === "TaskSucceeded" && event.taskId.endsWith("encode-video:r1/0")
      expect((yield* eventually(isFirst)).outputs).toHaveProperty("segments")
      const before = yield* told
      expect(
        before.filter((it) => it._tag === "TaskEmitted" && it.taskId.endsWith("split")),
      ).toHaveLength(1)
      yield* receivePart(2, source.subarray(50))
      yield* eventually(is("TranscodeCompleted"))
    }),
  ))

test("an upload that pauses holds no slot, and goes on with its next part", () =>
  run(
    Effect.gen(function* () {
      yield* requestUpload(100, 50)
      yield* receivePart(1, source.subarray(0, 50))
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      expect(yield* eventually(is("TaskReleased"))).toMatchObject({ heard: 1, attempt: 1 })
      yield* receivePart(2, source.subarray(50))
      yield* eventually(is("TranscodeCompleted"))
      expect((yield* told).filter(({ _tag }) => _tag === "TaskFailed")).toEqual([])
    }),
    {},
    "100 millis",
  ))

test("an upload that is given up ends its transcode", () =>
  run(
    Effect.gen(function* () {
      yield* requestUpload(100, 50)
      yield* receivePart(1, source.subarray(0, 50))
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      yield* eventually(is("TaskEmitted"))
      yield* expireUpload
      expect(yield* eventually(is("TranscodeFailed"))).toMatchObject({ code: "source_abandoned" })
    }),
  ))

test("a source that cannot become a video is refused at once, with its code", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      const failure = yield* eventually(is("TaskFailed"))
      expect(failure).toMatchObject({ code: "not_a_video", recoverable: false, attempt: 1 })
      expect(yield* eventually(is("TranscodeFailed"))).toMatchObject({ code: "not_a_video" })
    }),
    { inspect: () => Effect.fail(new SourceRefused({ code: "not_a_video" })) },
  ))

test("an encoder that crashes is told as worth another try", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      const { code, recoverable, detail } = yield* eventually(is("TaskFailed"))
      expect({ code, recoverable, detail }).toEqual({
        code: "encoder_crashed",
        recoverable: true,
        detail: "Segmentation fault",
      })
    }),
    { encode: () => Effect.fail(new EncoderCrashed({ detail: "Segmentation\n fault" })) },
  ))

test("a bug in a stage does not keep the lease for ever", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      expect(yield* eventually(is("TaskFailed"))).toMatchObject({
        code: "worker_defect",
        recoverable: true,
      })
    }),
    { inspect: () => Effect.die(new Error("not thought of")) },
  ))

test("segments that lie there already stay, and are what is reported", () =>
  run(
    Effect.gen(function* () {
      const objects = yield* ObjectStore
      yield* objects.put(segment(videoId, 1, "240p", 0), new Uint8Array(99))
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      yield* eventually(is("TranscodeCompleted"))
      const history = yield* told
      const first = history.find(
        (it) => it._tag === "TaskSucceeded" && it.taskId.endsWith("encode-video:r1/0"),
      )
      expect(JSON.stringify(first)).toContain('"bytes":99')
    }),
  ))

test("a rung whose header differs from the one that lies there is refused", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      expect(yield* eventually(is("TaskFailed"))).toMatchObject({ code: "header_differs" })
    }),
    {
      encode: ((job: never) =>
        Effect.map(madeUp.encode?.(job) ?? Effect.never, (encoded) => ({
          ...encoded,
          rungs: encoded.rungs.map((rung) => ({
            ...rung,
            init: crypto.getRandomValues(new Uint8Array(8)),
          })),
        }))) as never,
    },
  ))

test("a task whose source part is gone fails for good", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* (yield* ObjectStore).remove([sourcePart(videoId, 1)])
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      expect(yield* eventually(is("TaskFailed"))).toMatchObject({
        code: "object_not_found",
        recoverable: false,
      })
    }),
  ))

test("a video of which no picture can be taken is published all the same", () =>
  run(
    Effect.gen(function* () {
      yield* uploadWhole(source, 50)
      yield* record(transcodeStream(videoId), planned)
      yield* platform
      yield* eventually(is("TranscodeCompleted"))
      expect(yield* eventually(is("TaskFailed"))).toMatchObject({ code: "no_decodable_frames" })
    }),
    { storyboard: () => Effect.fail(new SourceRefused({ code: "no_decodable_frames" })) },
  ))
