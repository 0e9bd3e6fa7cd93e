import { expect, test } from "bun:test"
import { Effect } from "effect"
import { SourceRefused } from "./port.ts"
import { probe } from "./probe.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"

const part = new TextEncoder().encode("a".repeat(64 * 1024))

/** A program that writes the same again and again, up to 64 MiB. */
const writing = (bytes: Uint8Array) => {
  let taken = 0
  const take = Effect.sync(() => {
    taken += bytes.length
    return taken <= 64 * 2 ** 20 ? bytes : null
  })
  const sandbox: Sandbox = {
    kind: "bwrap",
    start: () =>
      Effect.succeed({
        write: () => Effect.succeed(true),
        endOfInput: Effect.void,
        take,
        outcome: Effect.succeed({
          ...{ ending: "ok", exit: 0, stderr: "" },
          ...{ wallSeconds: 0, cpuSeconds: 0, peakMebibytes: 0 },
        } as const),
      }),
    run: () => Effect.die("not asked"),
  }
  return { sandbox, taken: () => taken }
}

const probing = (sandbox: Sandbox, onRow: () => void) =>
  probe(sandbox, { file: "any", demuxer: "mov", entries: "stream=index", options: [], onRow })

test("a line without an end is too expensive before it has filled the memory", async () => {
  const { sandbox, taken } = writing(part)
  const refused = await Effect.runPromise(Effect.flip(probing(sandbox, () => undefined)))
  expect(refused).toEqual(new SourceRefused({ code: "too_expensive" }))
  expect(taken()).toBeLessThan(2 * 2 ** 20)
})

test("many lines are not, however long they are together", async () => {
  const { sandbox } = writing(new TextEncoder().encode(`packet|pts=${"1".repeat(1000)}\n`))
  let rows = 0
  await Effect.runPromise(
    probing(sandbox, () => {
      rows += 1
    }),
  )
  expect(rows).toBeGreaterThan(60_000)
})
