import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Layer, type Scope, Stream } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { inboxStream, transcodeStream, workerStream } from "#domain/ids.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { spawnNode, type TestNode } from "#infra/event-store/node/testing.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { s3ObjectStore } from "#infra/object-store/s3.ts"
import { credentials, startNode } from "#infra/object-store/testing.ts"
import {
  clipOf,
  eventually,
  office,
  planned,
  record,
  told,
  uploadWhole,
  videoId,
} from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "reelog-worker-process-"))
const clip = join(directory, "clip.mp4")
let log: TestNode
let objects: Awaited<ReturnType<typeof startNode>>
beforeAll(async () => {
  ;[log, objects] = await Promise.all([spawnNode(), startNode(), clipOf(clip, "960x540", 12)])
}, 60_000)
afterAll(async () => {
  await Promise.all([log.dispose(), objects.stop()])
  rmSync(directory, { recursive: true, force: true })
})

const variables = () => ({
  ...credentials,
  REELOG_S3_ENDPOINT: objects.url,
  REELOG_EVENTSTORE_URL: log.url,
})
const adapters = Layer.unwrap(
  Effect.sync(() =>
    Layer.provide(Layer.merge(eventStoreDb, s3ObjectStore), environmentLayer(variables())),
  ),
)
const run = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof adapters> | Scope.Scope>) =>
  Effect.runPromise(Effect.provide(Effect.scoped(effect), adapters))

/** A worker process of its own; killed with the test at the latest. */
const workerProcess = Effect.acquireRelease(
  Effect.sync(() =>
    Bun.spawn([process.execPath, join(import.meta.dir, "main.ts")], {
      env: {
        ...process.env,
        ...variables(),
        REELOG_SCRATCH: join(directory, "scratch"),
        REELOG_WORKER_SLOTS: "2",
        REELOG_PARENT_PID: String(process.pid),
      },
      stdout: "ignore",
      stderr: "ignore",
    }),
  ),
  (child) =>
    Effect.promise(async () => {
      child.kill("SIGKILL")
      await child.exited
    }),
)

const childrenOf = (pid: number): ReadonlyArray<number> => {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
  const own = text === "" ? [] : text.split(" ").map(Number)
  return own.flatMap((child) => [child, ...childrenOf(child)])
}
const lives = (pid: number) => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

type Assigned = Extract<DomainEvent, { _tag: "TaskAssigned" }>
const isEncodeFor =
  (after: string) =>
  (event: DomainEvent): event is Assigned =>
    event._tag === "TaskAssigned" && event.taskId.includes("encode-video") && event.worker !== after
const joined = Effect.gen(function* () {
  const store = yield* EventStore
  const all = yield* store.readAll({ filter: { streams: ["worker-"] } }).pipe(Stream.runCollect)
  return all.flatMap(({ event }) => (event._tag === "WorkerStarted" ? [event.worker] : []))
})

type Ended = Extract<DomainEvent, { _tag: "TranscodeCompleted" | "TranscodeFailed" }>
const hasEnded = (event: DomainEvent): event is Ended =>
  event._tag === "TranscodeCompleted" || event._tag === "TranscodeFailed"

test(
  "a worker may be stopped, and killed, in mid-encode: others finish what it began",
  () =>
    run(
      Effect.gen(function* () {
        yield* uploadWhole(yield* Effect.promise(() => Bun.file(clip).bytes()), 1 << 20)
        yield* record(transcodeStream(videoId), planned)
        yield* Effect.forkScoped(office)

        const first = yield* workerProcess
        const { worker } = yield* eventually(isEncodeFor(""))
        const children = childrenOf(first.pid)
        const asked = Date.now()
        first.kill("SIGTERM")
        expect(yield* Effect.promise(() => first.exited)).toBe(0)
        expect(Date.now() - asked).toBeLessThan(10_000)
        expect(children.filter(lives)).toEqual([])
        const own = yield* (yield* EventStore).read(workerStream(worker))
        expect(own.at(-1)?.event._tag).toBe("WorkerStopping")
        expect((yield* told).some((event) => event._tag === "TaskReleased")).toBe(true)

        const second = yield* workerProcess
        const { epoch } = yield* eventually(isEncodeFor(worker))
        const orphans = childrenOf(second.pid)
        second.kill("SIGKILL")
        yield* Effect.promise(() => second.exited)
        // It was two workers. Nobody ticks here, so nobody else misses them.
        for (const lost of (yield* joined).slice(2)) {
          yield* record(inboxStream(lost), { _tag: "WorkerLost", worker: lost, epoch })
        }

        yield* workerProcess
        expect(yield* eventually(hasEnded)).toMatchObject({ _tag: "TranscodeCompleted" })
        expect(orphans.filter(lives)).toEqual([])
      }),
    ),
  120_000,
)
