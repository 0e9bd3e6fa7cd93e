/** Results too large for the log go to the object store and come back as inputs, unseen by the stages. */
import { Effect, Schema } from "effect"
import { temp } from "#domain/keys.ts"
import type { Outputs } from "#domain/scheduling/events.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { json, keepRef, ObjectRef } from "./objects.ts"
import type { Task } from "./stage.ts"

/** So that the log stays a log of facts. */
const MOST_BYTES = 4096

const isRef = Schema.is(ObjectRef)
const keyOf = ({ videoId, run }: Task, name: string) => temp(videoId, run, `outputs/${name}.json`)

export const spilled = Effect.fnUntraced(function* (task: Task, outputs: Outputs) {
  const piece = task.n === undefined ? "" : `/${task.n}`
  const kept = yield* Effect.forEach(Object.entries(outputs), ([name, value]) => {
    const bytes = json(value)
    if (bytes.length <= MOST_BYTES) return Effect.succeed([name, value] as const)
    const key = keyOf(task, `${task.step}${piece}/${name}`)
    return Effect.map(keepRef(key, bytes), (ref) => [name, ref] as const)
  })
  return Object.fromEntries(kept) as Outputs
})

/** The objects that stages keep on purpose (the index) stay references. */
export const unspilled = Effect.fnUntraced(function* (
  task: Task,
  inputs: Readonly<Record<string, Schema.Json>>,
) {
  const objects = yield* ObjectStore
  const prefix = temp(task.videoId, task.run, "outputs/")
  const load = Effect.fnUntraced(function* (value: Schema.Json) {
    if (!isRef(value) || !value.key.startsWith(prefix)) return value
    const read: Schema.Json = JSON.parse(new TextDecoder().decode(yield* objects.get(value.key)))
    return read
  })
  const loaded = yield* Effect.forEach(Object.entries(inputs), ([name, value]) =>
    Effect.map(
      Array.isArray(value)
        ? Effect.forEach(value as ReadonlyArray<Schema.Json>, load)
        : load(value),
      (read) => [name, read] as const,
    ),
  )
  return Object.fromEntries(loaded) as Readonly<Record<string, Schema.Json>>
})
