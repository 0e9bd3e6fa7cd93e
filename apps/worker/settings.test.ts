import { expect, test } from "bun:test"
import { availableParallelism } from "node:os"
import { type Config, Effect } from "effect"
import { environmentLayer, explain } from "#infra/configuration.ts"
import { scratchSettings, workerSettings } from "./settings.ts"

const read = <A>(settings: Config.Config<A>, variables: Record<string, string>) =>
  Effect.runPromise(
    settings.pipe(
      Effect.mapError((failure) => explain(failure, variables)),
      Effect.match({ onSuccess: (value) => value, onFailure: (sentence) => sentence }),
      Effect.provide(environmentLayer(variables)),
    ),
  )

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

test("a malformed setting is named", async () => {
  expect(await read(workerSettings, { REELOG_WORKER_SLOTS: "none" })).toBe(
    "REELOG_WORKER_SLOTS is malformed",
  )
  expect(await read(workerSettings, { REELOG_WORKER_KINDS: "heavy" })).toContain(
    "REELOG_WORKER_KINDS",
  )
})
