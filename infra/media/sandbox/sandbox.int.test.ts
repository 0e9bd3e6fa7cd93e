import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Fiber, Result } from "effect"
import type { Kind, Limits } from "./command.ts"
import { programsIn } from "./programs.ts"
import { openSandbox, type Sandbox } from "./sandbox.ts"

// ffmpeg itself plays the attacker: it reads, writes, connects and eats.

const directory = mkdtempSync(join(tmpdir(), "sandbox-"))
const input = join(directory, "in.txt")
const secret = join(directory, "secret.txt")
const output = join(directory, "out.bin")
let connections = 0
const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: { open: () => void connections++, data: () => {} },
})

beforeAll(() => {
  writeFileSync(input, "x".repeat(4096))
  writeFileSync(secret, "SECRET".repeat(1000))
})
afterAll(() => {
  listener.stop(true)
  rmSync(directory, { recursive: true })
})

const limits: Limits = {
  mebibytes: 768,
  cpuSeconds: 5,
  wallSeconds: 20,
  outputMebibytes: 2,
  stdoutBytes: 1 << 16,
}
const raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "16x16", "-i"]
const written = ["-f", "rawvideo", "/out/0"]
const endless = ["-f", "lavfi", "-i", "testsrc=s=1280x720:r=60"]
const asleep = ["-re", "-f", "lavfi", "-i", "testsrc=s=16x16:r=1", "-f", "null", "-"]

const job = (words: ReadonlyArray<string>, over: Partial<Limits> = {}) => ({
  tool: "ffmpeg" as const,
  arguments: ["-v", "error", "-nostdin", "-y", ...words],
  input,
  outputs: [output],
  limits: { ...limits, ...over },
})

const opened = (kind: Kind) => Effect.runPromise(openSandbox(programsIn(null), [kind]))
const works = await Promise.all(
  (["bwrap", "landlock"] as const).map(async (kind) => {
    const result = await Effect.runPromise(Effect.result(openSandbox(programsIn(null), [kind])))
    return { kind, isHere: Result.isSuccess(result) }
  }),
)

test("one kind of sandbox works on this machine", () => {
  expect(works.some(({ isHere }) => isHere)).toBe(true)
})

for (const { kind, isHere } of works) {
  describe.skipIf(!isHere)(`in ${kind}`, () => {
    let sandbox: Sandbox
    beforeAll(async () => {
      sandbox = await opened(kind)
    })
    const run = (words: ReadonlyArray<string>, over: Partial<Limits> = {}) =>
      Effect.runPromise(sandbox.run(job(words, over)))

    test("the input is read and the output written", async () => {
      expect((await run([...raw, "/in", ...written])).ending).toBe("ok")
      expect(statSync(output).size).toBe(4096)
    })

    for (const path of ["/etc/passwd", secret, "/proc/1/environ", "/proc/self/maps"]) {
      test(`${path.replace(directory, "a file beside the input: ")} is not read`, async () => {
        const { ending } = await run([...raw, path, "-frames:v", "1", ...written])
        expect(ending).not.toBe("ok")
        expect(statSync(output).size).toBe(0)
      })
    }

    for (const path of [join(directory, "evil.bin"), "/tmp/evil-check.bin", "/out/1", "/in"]) {
      test(`${path.replace(directory, "beside it: ")} is not written`, async () => {
        await run([...raw, "/in", "-f", "rawvideo", path])
        expect(existsSync(join(directory, "evil.bin"))).toBe(false)
        expect(existsSync("/tmp/evil-check.bin")).toBe(false)
        expect(readFileSync(input, "utf8")).toStartWith("xxx")
      })
    }

    for (const scheme of ["tcp", "udp", "http"]) {
      test(`${scheme} connects to nobody`, async () => {
        const url = `${scheme}://127.0.0.1:${listener.port}`
        const { ending } = await run(["-t", "1", "-f", "mpegts", "-i", url, "-f", "null", "-"])
        expect(ending).not.toBe("ok")
        expect(connections).toBe(0)
      })
    }

    test("processor time ends", async () => {
      const { ending } = await run([...endless, "-f", "null", "-"], { cpuSeconds: 1 })
      expect(ending).toBe("cpu")
    })
    test("a program that sleeps is ended by the clock", async () => {
      expect((await run(asleep, { wallSeconds: 1 })).ending).toBe("wall")
    })
    test("the output file cannot grow beyond its limit", async () => {
      const { ending } = await run([...endless, ...written])
      expect(["output", "failed"]).toContain(ending)
      expect(statSync(output).size).toBeLessThanOrEqual(2 << 20)
    })
    test("what it says is bounded", async () => {
      expect((await run([...endless, "-f", "rawvideo", "pipe:1"])).ending).toBe("stdout")
    })
    test("memory is bounded", async () => {
      const hoard = ["-f", "lavfi", "-i", "color=s=4096x4096,loop=loop=1:size=2000"]
      const outcome = await run([...hoard, "-f", "null", "-"], { wallSeconds: 3 })
      expect(outcome.ending).not.toBe("ok")
      expect(outcome.peakMebibytes).toBeLessThan(780)
    })
    test("what it used is told", async () => {
      const source = ["-f", "lavfi", "-i", "testsrc=s=1280x720:r=30:d=4"]
      const outcome = await run([...source, "-f", "null", "-"])
      expect(outcome.ending).toBe("ok")
      expect(outcome.cpuSeconds).toBeGreaterThan(0.05)
      expect(outcome.peakMebibytes).toBeGreaterThan(20)
    })
    const marked = (mark: string) => [...asleep.slice(0, -3), "-metadata", `title=${mark}`]
    const isAlive = (mark: string) =>
      Bun.spawnSync(["/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"])
        .stdout.toString()
        .includes(` title=${mark} `)
    const until = async (condition: () => boolean) => {
      while (!condition()) await Bun.sleep(20)
    }

    test("interrupting it ends the program before the interruption is over", async () => {
      const mark = `interrupted-${kind}-${process.pid}`
      const long = job([...marked(mark), "-f", "null", "-"], { wallSeconds: 60 })
      const fiber = Effect.runFork(sandbox.run(long))
      await until(() => isAlive(mark))
      await Effect.runPromise(Fiber.interrupt(fiber))
      expect(isAlive(mark)).toBe(false)
    })

    test("interrupting it while it starts leaves nothing behind", async () => {
      const mark = `starting-${kind}-${process.pid}`
      const long = job([...marked(mark), "-f", "null", "-"], { wallSeconds: 60 })
      for (let millis = 0; millis < 40; millis += 2) {
        const fiber = Effect.runFork(sandbox.run(long))
        await Bun.sleep(millis)
        await Effect.runPromise(Fiber.interrupt(fiber))
      }
      expect(isAlive(mark)).toBe(false)
    })

    test("it dies with a killed parent", async () => {
      const mark = `orphan-${kind}-${process.pid}`
      const long = job([...marked(mark), "-f", "null", "-"], { wallSeconds: 60 })
      const script = `
        import { Effect } from "effect"
        import { openSandbox } from "${import.meta.dir}/sandbox.ts"
        import { programsIn } from "${import.meta.dir}/programs.ts"
        const sandbox = await Effect.runPromise(openSandbox(programsIn(null), ["${kind}"]))
        await Effect.runPromise(sandbox.run(JSON.parse(process.argv.at(-1))))`
      const parent = Bun.spawn([process.execPath, "-e", script, JSON.stringify(long)], {
        cwd: import.meta.dir,
      })
      await until(() => isAlive(mark))
      parent.kill("SIGKILL")
      await parent.exited
      await until(() => !isAlive(mark))
    })
  })
}
