/**
 * What a channel has had made once is not made again: the same bytes of a source, under the same
 * inputs, by the same programs, give the same objects. A task that finds its work done takes copies
 * of them, so that each video owns its own. What is remembered lies under `reuse/{channelId}/`.
 */
import { Effect, Option, Schema } from "effect"
import { reused, temp } from "#domain/keys.ts"
import { Outputs, Piece } from "#domain/scheduling/events.ts"
import { type ByteRange, MediaTools } from "#infra/media/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { json } from "./objects.ts"
import { Sources } from "./source.ts"
import type { Stage, StageResult, Task } from "./stage.ts"

const COPIES_AT_ONCE = 4
/** Pieces in one event: far below the store's 1 MiB. */
const TOLD_AT_ONCE = 500

const Memory = Schema.Struct({
  /** Whose objects they are: `{videoId}/{run}`. */
  place: Schema.String,
  objects: Schema.Array(Schema.Struct({ key: Schema.String, contentType: Schema.String })),
  pieces: Schema.Array(Piece),
  outputs: Outputs,
  groups: Schema.optionalKey(Schema.Array(Schema.String)),
})
type Memory = typeof Memory.Type

const readMemory = Schema.decodeUnknownOption(Schema.fromJsonString(Memory))
const Ranges = Schema.fromJsonString(
  Schema.Struct({
    ranges: Schema.NullOr(Schema.Array(Schema.Struct({ from: Schema.Int, to: Schema.Int }))),
  }),
)
const readRanges = Schema.decodeUnknownOption(Ranges)

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const placeOf = ({ videoId, run }: Task) => `${videoId}/${run}`

/** The bytes of the source that a task works on; `undefined`: it is not known which. */
const rangesOf = Effect.fnUntraced(function* (task: Task) {
  if (task.n === undefined) return null
  const objects = yield* ObjectStore
  const told = yield* objects.get(temp(task.videoId, task.run, `split/${task.n}.json`))
  return Option.getOrUndefined(Option.map(readRanges(text(told)), ({ ranges }) => ranges))
})

/** Names what is made: another name, other bits. `undefined`: not all of the source is there yet. */
const nameOf = Effect.fnUntraced(function* (
  task: Task,
  type: string,
  inputs: Parameters<Stage>[1],
  ranges: ReadonlyArray<ByteRange> | null,
) {
  const source = yield* (yield* Sources).of(task.videoId)
  if (!source.hasArrived(ranges)) return undefined
  const { build } = yield* MediaTools
  const digest = yield* source.digest(ranges)
  // The index is an object: its name is the video's, its hash is not.
  const asked = JSON.stringify({ ...inputs, source: undefined })
    .replaceAll(`${task.videoId}/${task.run}/`, "")
    .replaceAll(task.videoId, "")
  const { group = "", isHurried } = task
  const words = [build, type, group, String(isHurried), digest, asked]
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(words)).digest("hex")
})

/** What was made before, as this video's own; nothing where any of it is gone. */
const recall = Effect.fnUntraced(
  function* (task: Task, key: string) {
    const objects = yield* ObjectStore
    const known = readMemory(text(yield* objects.get(key)))
    if (Option.isNone(known)) return undefined
    const { place, ...memory } = known.value
    const ours = (words: string) => words.replaceAll(place, placeOf(task))
    yield* Effect.forEach(
      memory.objects,
      ({ key: theirs, contentType }) =>
        Effect.flatMap(objects.get(theirs), (bytes) =>
          objects.put(ours(theirs), bytes, { contentType }),
        ),
      { concurrency: COPIES_AT_ONCE, discard: true },
    )
    for (let at = 0; at < memory.pieces.length; at += TOLD_AT_ONCE) {
      yield* task.emit(memory.pieces.slice(at, at + TOLD_AT_ONCE))
    }
    const copied = memory.objects.map((made) => ({ ...made, key: ours(made.key) }))
    const outputs = JSON.parse(ours(JSON.stringify(memory.outputs))) as Outputs
    const result: StageResult = {
      outputs: { ...outputs, work: { peakMebibytes: 0, way: "reused" } },
      ...(memory.groups !== undefined && { groups: memory.groups }),
      cpuSeconds: 0,
    }
    const renewed: Memory = { ...memory, place: placeOf(task), objects: copied, outputs }
    return { result, memory: renewed }
  },
  Effect.catchTag("ObjectNotFound", () => Effect.succeed(undefined)),
)

/** Runs the stage, and notes what it writes and tells. */
const watched = Effect.fnUntraced(function* (
  work: Stage,
  task: Task,
  inputs: Parameters<Stage>[1],
) {
  const objects = yield* ObjectStore
  const written = new Map<string, string>()
  const pieces: Array<Piece> = []
  const noting = ObjectStore.of({
    ...objects,
    put: (key, body, options) =>
      Effect.tap(objects.put(key, body, options), () =>
        Effect.sync(() => written.set(key, options?.contentType ?? "application/octet-stream")),
      ),
  })
  const emit: Task["emit"] = (some) =>
    Effect.tap(task.emit(some), () => Effect.sync(() => pieces.push(...some)))
  const result = yield* Effect.provideService(work({ ...task, emit }, inputs), ObjectStore, noting)
  const memory: Memory = {
    place: placeOf(task),
    objects: [...written].map(([key, contentType]) => ({ key, contentType })),
    pieces,
    outputs: result.outputs,
    ...(result.groups !== undefined && { groups: result.groups }),
  }
  return { result, memory }
})

/** What a later task would miss, because it goes with the transcode. */
const isLasting = ({ objects }: Memory) => objects.every(({ key }) => !key.startsWith("temp/"))

const remember = Effect.fnUntraced(function* (key: string, memory: Memory) {
  const objects = yield* ObjectStore
  yield* Effect.ignore(objects.put(key, json(memory), { overwrite: true }))
})

/** A stage whose work is looked up before it is done. That it can't be looked up fails nothing. */
export const doneOnce =
  (type: string, work: Stage): Stage =>
  (task, inputs) =>
    Effect.gen(function* () {
      const keyNow = rangesOf(task).pipe(
        Effect.flatMap((ranges) =>
          ranges === undefined ? Effect.undefined : nameOf(task, type, inputs, ranges),
        ),
        Effect.map((name) => name && reused(task.channelId, name)),
        Effect.scoped,
        Effect.orElseSucceed(() => undefined),
      )
      const key = yield* keyNow
      const known = key && (yield* Effect.orElseSucceed(recall(task, key), () => undefined))
      if (known) {
        // The copies outlive what they were taken of: a run is deleted when another takes its place.
        yield* remember(key, known.memory)
        return known.result
      }
      const { result, memory } = yield* watched(work, task, inputs)
      const later = key ?? (yield* keyNow)
      if (later !== undefined && isLasting(memory)) yield* remember(later, memory)
      return result
    })
