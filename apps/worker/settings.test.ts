import { expect, test } from "bun:test"
import { availableParallelism } from "node:os"
import { type Config, Effect } from "effect"
import { environmentLayer, explain } from "#infra/configuration.ts"
import { builtInStages } from "./app.ts"
import { takenBy } from "./kinds.ts"
import { scratchSettings, workerSettings } from "./settings.ts"

const read = <A>(settings: Config.Config<A>, variables: Record<string, string>) =>
  Effect.runPromise(
    settings.pipe(
      Effect.mapError((failure) => explain(failure, variables)),
      Effect.match({ onSuccess: (value) => value, onFailure: (sentence) => sentence }),
      Effect.provide(environmentLayer(variables)),
    ),
  )

const readKinds = async (words: string) => {
  const settings = await read(workerSettings, { REELOG_WORKER_KINDS: words })
  if (typeof settings === "string") throw new Error(settings)
  return settings
}

test("without a word a process is both workers, with a slot for each core", async () => {
  expect(await read(workerSettings, {})).toMatchObject({
    cell: "loc",
    kinds: ["light", "encode"],
    slots: { light: 16, encode: availableParallelism() },
  })
  expect(await read(scratchSettings, {})).toEqual({
    directory: ".reelog/scratch",
    quotaBytes: 8 * 2 ** 30,
  })
})

test("a process may be one of the two", async () => {
  const variables = { REELOG_WORKER_KINDS: "encode", REELOG_WORKER_SLOTS: "3", REELOG_CELL: "eu1" }
  expect(await read(workerSettings, variables)).toMatchObject({
    cell: "eu1",
    kinds: ["encode"],
    slots: { encode: 3 },
  })
})

test("a process may take a few task types, by the words of a person", async () => {
  const taken = async (words: string) => {
    const { kinds } = await readKinds(words)
    return takenBy(kinds, builtInStages).map(({ slots, stages }) => [slots, Object.keys(stages)])
  }
  expect(await taken("thumbnail, encode-video")).toEqual([
    ["encode", ["EncodeVideo", "Thumbnails"]],
  ])
  expect(await taken("Inspect,Thumbnails")).toEqual([
    ["light", ["Inspect"]],
    ["encode", ["Thumbnails"]],
  ])
  const everything = await taken("light,encode")
  expect(everything).toEqual([
    ["light", Object.keys(builtInStages.light)],
    ["encode", Object.keys(builtInStages.encode)],
  ])
})

test("a malformed setting is named", async () => {
  expect(await read(workerSettings, { REELOG_WORKER_SLOTS: "none" })).toBe(
    "REELOG_WORKER_SLOTS is malformed",
  )
  expect(await read(workerSettings, { REELOG_WORKER_KINDS: "heavy" })).toContain(
    "REELOG_WORKER_KINDS",
  )
})
