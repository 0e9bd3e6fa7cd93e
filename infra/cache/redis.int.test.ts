import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Deferred, Effect, Fiber, Layer, ManagedRuntime } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { cacheContract } from "./contract.ts"
import { Cache } from "./port.ts"
import { redisCache } from "./redis.ts"

const program = Bun.which("redis-server")
if (!program) process.stderr.write("skipped: there is no redis-server on this machine\n")

const freePort = () => {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resolve(typeof address === "object" && address ? address.port : 0))
  })
  return promise
}

/** Keeps each write on disk, so that it comes back with what it had. */
const startRedis = async (folder: string, port: number) => {
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder]
  const durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"]
  const child = Bun.spawn([program ?? "", ...options, ...durable], { stdout: "pipe" })
  const decoder = new TextDecoder()
  let said = ""
  const reader = child.stdout.getReader()
  while (!said.includes("Ready to accept connections")) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`redis-server ended: ${said}`)
    said += decoder.decode(value)
  }
  return child
}

const cacheAt = (port: number) =>
  Layer.provide(redisCache, environmentLayer({ REELOG_REDIS_URL: `redis://127.0.0.1:${port}` }))

/** As if in another process: a connection and loads of its own. */
const openCache = async (port: number) => {
  const runtime = ManagedRuntime.make(cacheAt(port))
  const cache = await runtime.runPromise(Cache)
  return { cache, run: runtime.runPromise, close: () => runtime.dispose() }
}

describe.skipIf(!program)("with Redis", () => {
  let folder: string
  let port: number
  let redis: Awaited<ReturnType<typeof startRedis>>
  const stopRedis = () => {
    redis.kill("SIGKILL")
    return redis.exited
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reelog-redis-"))
    port = await freePort()
    redis = await startRedis(folder, port)
  })
  afterAll(async () => {
    await stopRedis()
    rmSync(folder, { recursive: true })
  })

  cacheContract("Redis", () => cacheAt(port))

  test("two processes share one load", async () => {
    const [one, other] = [await openCache(port), await openCache(port)]
    let loads = 0
    const load = Effect.sync(() => {
      loads += 1
    }).pipe(Effect.andThen(Effect.sleep("50 millis")), Effect.as("loaded"))
    const read = ({ cache, run }: typeof one) => run(cache.through("shared", 60, load))
    expect(await Promise.all([read(one), read(other), read(one)])).toEqual([
      "loaded",
      "loaded",
      "loaded",
    ])
    expect(loads).toBe(1)
    await Promise.all([one.close(), other.close()])
  })

  test("an invalidation in one process stops what another is loading from being kept", async () => {
    const [one, other] = [await openCache(port), await openCache(port)]
    await one.run(
      Effect.gen(function* () {
        const [began, go] = [Deferred.makeUnsafe<void>(), Deferred.makeUnsafe<void>()]
        const load = Deferred.succeed(began, undefined).pipe(
          Effect.andThen(Deferred.await(go)),
          Effect.as("the old row"),
        )
        const early = yield* Effect.forkChild(one.cache.through("contested", 60, load))
        yield* Deferred.await(began)
        yield* other.cache.remove(["contested"])
        yield* Deferred.succeed(go, undefined)
        yield* Fiber.join(early)
        expect(yield* other.cache.get("contested")).toBeNull()
      }),
    )
    await Promise.all([one.close(), other.close()])
  })

  test("what was kept is gone when its time is over", async () => {
    const { cache, run, close } = await openCache(port)
    await run(cache.set("brief", "x", 0.05))
    while ((await run(cache.get("brief"))) !== null) await Bun.sleep(5)
    await close()
  })

  test("without it loads still run once per key, and a lost invalidation is made good", async () => {
    const { cache, run, close } = await openCache(port)
    await run(cache.set("row", "the old row", 60))
    await stopRedis()

    let loads = 0
    const load = Effect.sync(() => {
      loads += 1
      return "made here"
    }).pipe(Effect.delay("20 millis"))
    const reads = Array.from({ length: 10 }, () => run(cache.through("other", 60, load)))
    expect(new Set(await Promise.all(reads))).toEqual(new Set(["made here"]))
    expect(loads).toBe(1)
    expect(await run(cache.get("row"))).toBeNull()
    await run(cache.remove(["row"]))

    redis = await startRedis(folder, port)
    await run(cache.set("back", "again", 60))
    while ((await run(cache.get("back"))) === null) {
      await Bun.sleep(20)
      await run(cache.set("back", "again", 60))
    }
    expect(await run(cache.get("row"))).toBeNull()
    await close()
  }, 30_000)

  test("a process starts while it is away", async () => {
    const nobody = await openCache(await freePort())
    expect(await nobody.run(nobody.cache.through("row", 60, Effect.succeed("made")))).toBe("made")
    await nobody.close()
  })
})
