/** Two scheduler processes on a real store, one of them killed: the video is carried on to its end. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { Effect, Layer, Logger, Stream } from "effect"
import { VideoId, WorkerId } from "#domain/ids.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { eventStoreDb } from "#infra/event-store/eventstoredb.ts"
import { spawnNode, type TestNode } from "#infra/event-store/node/testing.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import { fakeWorker, uploadBegins } from "./testing.ts"

let node: TestNode
const children: Array<Bun.Subprocess> = []

beforeAll(async () => {
  node = await spawnNode()
})
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL")
  await Promise.all(children.map(({ exited }) => exited))
  await node.dispose()
})

const spawnScheduler = (rank: number) => {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/main.ts`], {
    env: {
      ...process.env,
      REELOG_EVENTSTORE_URL: node.url,
      REELOG_SCHEDULER_RANK: String(rank),
      REELOG_PARENT_PID: String(process.pid),
    },
    stdout: "ignore",
    stderr: "ignore",
  })
  children.push(child)
  return child
}

const log = Effect.gen(function* () {
  const store = yield* EventStore
  return yield* Stream.runCollect(store.readAll())
})

const until = Effect.fnUntraced(function* (isIt: (recorded: Recorded) => boolean) {
  const store = yield* EventStore
  yield* store.follow({}).pipe(
    Stream.filter((news) => news._tag === "Event" && isIt(news.recorded)),
    Stream.take(1),
    Stream.runDrain,
  )
})
const untilTold = (tag: string) => until(({ event }) => event._tag === tag)

test("a killed scheduler's standby carries on, and a stopped one leaves at once", async () => {
  const videoId = VideoId.make("loc0000000000000001")
  const [light, encode] = [
    WorkerId.make("loc000000000000000a"),
    WorkerId.make("loc000000000000000b"),
  ]
  const story = Effect.gen(function* () {
    const first = spawnScheduler(0)
    yield* untilTold("SchedulerStarted")
    const standby = spawnScheduler(1)
    yield* uploadBegins(videoId)
    const early = yield* Effect.forkScoped(fakeWorker(light, ["Inspect"]))
    yield* untilTold("TaskSucceeded")
    first.kill("SIGKILL")
    const rest = ["Split", "EncodeAudio", "Package", "Publish"]
    const pictures = ["EncodeVideo", "ExtractText", "Thumbnails", "Storyboard"]
    yield* Effect.forkScoped(fakeWorker(encode, [...rest, ...pictures]))
    yield* untilTold("TranscodeCompleted")
    expect(early.pollUnsafe()).toBeUndefined()

    const events = (yield* log).map(({ event }) => event)
    const tags = events.map(({ _tag }) => _tag as string)
    const count = (tag: string) => tags.filter((other) => other === tag).length
    expect(count("SchedulerStarted")).toBe(2)
    expect(count("TranscodePlanned")).toBe(1)
    expect(count("TranscodeCompleted")).toBe(1)
    expect(count("TaskAssigned")).toBe(13)

    standby.kill("SIGTERM")
    expect(yield* Effect.promise(() => standby.exited)).toBe(0)
  })
  await Effect.runPromise(
    story.pipe(
      Effect.scoped,
      Effect.provide(
        eventStoreDb.pipe(
          Layer.provide(environmentLayer({ REELOG_EVENTSTORE_URL: node.url })),
          Layer.merge(Logger.layer([])),
        ),
      ),
    ),
  )
}, 60_000)
