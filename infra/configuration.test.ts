import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Config, Effect, Redacted } from "effect"
import { environmentLayer, explain } from "./configuration.ts"

const read = <A>(setting: Config.Config<A>, variables: Record<string, string>) =>
  Effect.runPromise(
    Effect.gen(function* () {
      return yield* setting
    }).pipe(
      Effect.match({
        onSuccess: (value): A | string => value,
        onFailure: (error) => explain(error, variables),
      }),
      Effect.provide(environmentLayer(variables)),
    ),
  )

const withFile = async (contents: string, use: (path: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "reelog-configuration-"))
  try {
    writeFileSync(join(folder, "secret"), contents)
    await use(join(folder, "secret"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("a setting", () => {
  test("that has a _FILE twin is the trimmed contents of that file", () =>
    withFile("  s3cret\n", async (path) => {
      const secret = await read(Config.Redacted("REELOG_KEY"), { REELOG_KEY_FILE: path })
      expect(Redacted.isRedacted(secret) && Redacted.value(secret)).toBe("s3cret")
    }))

  test("that is given both ways is what the variable says", () =>
    withFile("from the file", async (path) => {
      const variables = { REELOG_KEY: "plain", REELOG_KEY_FILE: path }
      expect(await read(Config.String("REELOG_KEY"), variables)).toBe("plain")
    }))

  test("whose file can't be read is named with its twin", async () => {
    const variables = { REELOG_KEY_FILE: "/nowhere/at/all" }
    expect(await read(Config.String("REELOG_KEY"), variables)).toBe(
      "REELOG_KEY_FILE names a file that can't be read",
    )
  })

  test("that is missing is named", async () => {
    expect(await read(Config.String("REELOG_KEY"), {})).toBe("REELOG_KEY is missing")
    const both = Config.all({ a: Config.String("REELOG_A"), b: Config.Int("REELOG_B") })
    expect(await read(both, { REELOG_A: "a" })).toBe("REELOG_B is missing")
  })

  test("that is malformed is named, without its value", async () => {
    const malformed = "REELOG_KEY is malformed"
    expect(await read(Config.Int("REELOG_KEY"), { REELOG_KEY: "many" })).toBe(malformed)
    expect(await read(Config.Port("REELOG_KEY"), { REELOG_KEY: "70000" })).toBe(malformed)
    expect(await read(Config.URL("REELOG_KEY"), { REELOG_KEY: "here" })).toBe(malformed)
    const withDefault = Config.Boolean("REELOG_KEY").pipe(Config.withDefault(true))
    expect(await read(withDefault, { REELOG_KEY: "perhaps" })).toBe(malformed)
    expect(await read(withDefault, {})).toBe(true)
  })
})

describe("a process", () => {
  const start = (program: string, env: Record<string, string> = {}) =>
    Bun.spawn(
      [
        process.execPath,
        "-e",
        `import { Config, Effect } from "effect"
         import { runMain } from "#infra/configuration.ts"
         const ready = Effect.sync(() => process.stdout.write("ready "))
         const goodbye = () => Effect.sync(() => process.stdout.write("goodbye"))
         const waiting = Effect.scoped(
           Effect.addFinalizer(goodbye).pipe(Effect.andThen(ready), Effect.andThen(Effect.never)),
         )
         runMain(${program})`,
      ],
      {
        env: { ...process.env, ...env },
        stdout: "pipe",
        stderr: "pipe",
        cwd: `${import.meta.dir}/..`,
      },
    )

  test("that lacks a setting says so in one sentence and exits 1", async () => {
    const child = start(`Config.String("REELOG_NOWHERE")`)
    expect(await new Response(child.stderr).text()).toBe("reelog: REELOG_NOWHERE is missing\n")
    expect(await child.exited).toBe(1)
  })

  test("that is told to stop runs its finalizers and exits 0", async () => {
    const child = start("waiting")
    const reader = child.stdout.getReader()
    const decoder = new TextDecoder()
    expect(decoder.decode((await reader.read()).value)).toBe("ready ")
    child.kill("SIGTERM")
    expect(decoder.decode((await reader.read()).value)).toBe("goodbye")
    expect(await child.exited).toBe(0)
  })

  test("whose parent is gone stops by itself", async () => {
    const child = start("waiting", { REELOG_PARENT_PID: "1" })
    expect(await new Response(child.stdout).text()).toBe("ready goodbye")
    expect(await child.exited).toBe(0)
  })
})
