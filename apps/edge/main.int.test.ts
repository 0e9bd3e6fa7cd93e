import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, ManagedRuntime } from "effect"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { spawnNode, type TestNode } from "#infra/event-store/node/testing.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { credentials, startNode } from "#infra/object-store/testing.ts"
import { created, published, record, reinstated, takenDown, videoId } from "./testing.ts"

/** What the contract allows between a takedown and its last open door. */
const CLOSED_WITHIN_MILLIS = 2000

const cache = mkdtempSync(join(tmpdir(), "edge-test-"))
let log: TestNode
let objects: Awaited<ReturnType<typeof startNode>>
let edge: { readonly url: string; readonly stop: () => Promise<number> }
let runtime: ManagedRuntime.ManagedRuntime<
  Layer.Success<typeof eventStoreDb> | Layer.Success<typeof s3ObjectStore>,
  unknown
>

/** Its first line on stderr names the port it found. */
const startEdge = async (settings: Readonly<Record<string, string>>) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts")], {
    env: {
      ...process.env,
      ...settings,
      REELOG_EDGE_LISTEN: "127.0.0.1:0",
      REELOG_EDGE_CACHE: cache,
      REELOG_PARENT_PID: String(process.pid),
    },
    stdout: "ignore",
    stderr: "pipe",
  })
  const decoder = new TextDecoder()
  let said = ""
  for await (const bytes of child.stderr) {
    said += decoder.decode(bytes, { stream: true })
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
    if (url !== undefined) {
      const stop = () => {
        child.kill("SIGTERM")
        return child.exited
      }
      return { url, stop }
    }
  }
  throw new Error(`the edge did not start: ${said}`)
}

beforeAll(async () => {
  ;[log, objects] = await Promise.all([spawnNode(), startNode()])
  const settings = {
    ...credentials,
    REELOG_EVENTSTORE_URL: log.url,
    REELOG_S3_ENDPOINT: objects.url,
  }
  runtime = ManagedRuntime.make(
    Layer.mergeAll(eventStoreDb, s3ObjectStore).pipe(Layer.provide(environmentLayer(settings))),
  )
  edge = await startEdge(settings)
}, 20_000)

afterAll(async () => {
  await edge?.stop()
  await runtime?.dispose()
  await log?.dispose()
  await objects?.stop()
  rmSync(cache, { recursive: true, force: true })
})

const statusOf = async (path: string) => {
  const response = await fetch(`${edge.url}/v/${videoId}/${path}`)
  await response.arrayBuffer()
  return response.status
}

const millisUntil = async (path: string, status: number, patience = CLOSED_WITHIN_MILLIS) => {
  const start = performance.now()
  while ((await statusOf(path)) !== status) {
    if (performance.now() - start > patience) break
    await Bun.sleep(5)
  }
  return performance.now() - start
}

test("the process serves what the log says, closes within two seconds, and outlives the log", async () => {
  const segment = crypto.getRandomValues(new Uint8Array(300_000))
  const put = Effect.flatMap(ObjectStore, (store) =>
    store.put(`segments/${videoId}/1/240p/0.m4s`, segment),
  )
  await runtime.runPromise(put)
  expect(await statusOf("240p/0.m4s")).toBe(404)

  await runtime.runPromise(record(created, published))
  expect(await millisUntil("240p/0.m4s", 200)).toBeLessThan(CLOSED_WITHIN_MILLIS)
  const served = await fetch(`${edge.url}/v/${videoId}/240p/0.m4s`)
  expect(Buffer.from(await served.arrayBuffer()).equals(Buffer.from(segment))).toBe(true)

  await runtime.runPromise(record(takenDown))
  expect(await millisUntil("240p/0.m4s", 451)).toBeLessThan(CLOSED_WITHIN_MILLIS)
  expect(await statusOf("main.m3u8")).toBe(451)
  await runtime.runPromise(record(reinstated))
  expect(await millisUntil("240p/0.m4s", 200)).toBeLessThan(CLOSED_WITHIN_MILLIS)

  await log.kill()
  expect(await statusOf("240p/0.m4s")).toBe(200)
  const unheld = await fetch(`${edge.url}/v/loczzzzzzzzzzzzzzzz/main.m3u8`)
  expect(unheld.status).toBe(503)

  await log.start()
  await runtime.runPromise(record(takenDown))
  // Also before the subscription is back: who serves looks at the log.
  expect(await millisUntil("240p/0.m4s", 451)).toBeLessThan(CLOSED_WITHIN_MILLIS)
}, 40_000)

test("the process stops in order when it is told to", async () => {
  expect(await edge.stop()).toBe(0)
})
