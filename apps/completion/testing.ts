/** What the tests of the completion handler share: a log and a store in memory, and milestones told to them. */
import { Effect, Layer, Logger, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import type { DomainEvent } from "#domain/events.ts"
import {
  AccountId,
  ChannelId,
  type StreamName,
  Timestamp,
  transcodeStream,
  VideoId,
  videoStream,
} from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { completion, completionGroup } from "./app.ts"

export const videoId = VideoId.make("loc0123456789abcdef")
export const at = Timestamp.make(1_700_000_000_000)
export const transcode = `${videoId}.1`
export const of = { videoId, transcode }

export const created: DomainEvent = {
  ...{ _tag: "VideoCreated", videoId, at, channelId: ChannelId.make("main") },
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
export const completed: DomainEvent = { _tag: "TranscodeCompleted", ...of }
export const failed: DomainEvent = { _tag: "TranscodeFailed", ...of, code: "source_corrupt" }

type Surroundings = EventStore | ObjectStore | Scope.Scope

export const runOver =
  (stores: Layer.Layer<EventStore | ObjectStore>) =>
  <A, E>(effect: Effect.Effect<A, E, Surroundings>) =>
    Effect.runPromise(
      effect.pipe(
        Effect.scoped,
        Effect.provide(Layer.mergeAll(stores, Logger.layer([]), TestClock.layer())),
      ),
    )

let said = 0
export const say = Effect.fnUntraced(function* (stream: StreamName, event: DomainEvent) {
  const store = yield* EventStore
  const told = yield* envelope(stream, event, { cause: `said ${++said}`, actor: "test" })
  yield* store.append(stream, "any", [told])
})
export const happens = (event: DomainEvent) => say(transcodeStream(videoId), event)
export const exists = (event: DomainEvent) => say(videoStream(videoId), event)
export const put = (...keys: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const objects = yield* ObjectStore
    yield* Effect.forEach(keys, (key) => objects.put(key, new Uint8Array(1)))
  })
export const keys = Effect.gen(function* () {
  const objects = yield* ObjectStore
  const found = yield* Stream.runCollect(objects.list(""))
  return found.map(({ key }) => key).filter((key) => !key.startsWith("checkpoints/"))
})

export const settleDown = Effect.repeat(Effect.yieldNow, { times: 300 })
/** Until nothing waits in the group any more, second by second. */
export const quiet = Effect.gen(function* () {
  const store = yield* EventStore
  for (let second = 0; second < 300; second++) {
    yield* settleDown
    const state = yield* store.groupState(completionGroup.name)
    if (state && state.backlog + state.inFlight === 0) return state
    yield* TestClock.adjust("1 second")
  }
  return yield* Effect.die(new Error("the group never came to rest"))
})
export const start = Effect.forkScoped(completion)

export const videoEvents = Effect.gen(function* () {
  const store = yield* EventStore
  const history = yield* store.read(videoStream(videoId))
  return history.map(({ event }) => event._tag)
})
