/**
 * The scheduler of a cell: folds the log, and while in office records what is owed: assignments,
 * revocations, lost workers, milestones, ticks, and what the policy asks for. A standby does the
 * same but for the writing. Any successor owes the same, so nothing is lost between two appends.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import {
  type Cell,
  channelStream,
  type StreamName,
  schedulerStream,
  Timestamp,
  type VideoId,
} from "#domain/ids.ts"
import { abandonedUploads, reactTo } from "#domain/policy.ts"
import { decide, nameOf, streamOf } from "#domain/scheduling/decide.ts"
import type { SchedulingEvent } from "#domain/scheduling/events.ts"
import type { Plan } from "#domain/transcode/channel-pipeline.ts"
import { upload } from "#domain/upload/upload.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore, type News } from "#infra/event-store/port.ts"
import { type Desk, emptyDesk, fold, isBusy } from "./desk.ts"
import { IDLE_BEATS, isOfficeSilent, stand, tick } from "./election.ts"
import { ACTOR, append, causeOf, learnTail, plan, tell, tellSealed } from "./recording.ts"
import type { SchedulerSettings } from "./settings.ts"

type Input = News | { readonly _tag: "Beat" }

const READ_AHEAD = 4_096
const WRITES_AT_ONCE = 16
const REMEMBERED = { maxAgeSeconds: 7 * 24 * 3600 }

/** The streams of a cell that matter to its scheduler, and those of all channels. */
const streamsOf = (cell: Cell): ReadonlyArray<string> => [
  ...["transcode", "worker", "inbox", "scheduler", "upload", "video"].map(
    (kind) => `${kind}-${cell}`,
  ),
  channelStream(""),
]

const record = Effect.fnUntraced(function* (
  desk: Desk,
  stream: StreamName,
  events: ReadonlyArray<SchedulingEvent>,
) {
  if (stream.startsWith("inbox-")) {
    const caused = events.map((event) => ({ event, cause: causeOf(desk, event) }))
    yield* append(desk, stream, caused).pipe(
      Effect.tapErrorTag("RevisionConflict", () => learnTail(desk, stream)),
    )
    return
  }
  for (const event of events) {
    switch (event._tag) {
      case "TranscodePlanned":
        yield* plan(desk, event)
        break
      case "TranscodeCancelled":
        yield* tell(desk, event)
        break
      case "TranscodePlayable":
      case "TranscodeCompleted":
      case "TranscodeExtended":
      case "TranscodeFailed":
        yield* tellSealed(desk, event)
        break
    }
  }
})

/** What could not be recorded is owed again. */
const recordOwed = Effect.fnUntraced(function* (desk: Desk, planned: Plan) {
  const reactions = reactTo(desk.policy, planned).filter((event) => !desk.sent.has(nameOf(event)))
  const owed = [...reactions, ...decide(desk.queues, desk.sent)]
  for (const event of owed) desk.sent.set(nameOf(event), event)
  const writes = Effect.forEach(
    Map.groupBy(owed, streamOf),
    ([stream, events]) =>
      record(desk, stream, events).pipe(
        Effect.catch((failure) => {
          for (const event of events) desk.sent.delete(nameOf(event))
          return Effect.logWarning("could not record what is owed", stream, failure)
        }),
      ),
    { concurrency: WRITES_AT_ONCE, discard: true },
  )
  yield* writes
})

const expire = Effect.fnUntraced(function* (desk: Desk, videoId: VideoId) {
  if (desk.expiring.has(videoId)) return
  desk.expiring.add(videoId)
  const at = Timestamp.make(yield* Clock.currentTimeMillis)
  const cause = `UploadExpired ${videoId}`
  const correlationId = desk.correlations.get(videoId) ?? videoId
  const context = { cause, correlationId, causationId: desk.lastEventId, actor: ACTOR }
  yield* execute(upload, { _tag: "ExpireUpload", videoId, at }, context).pipe(
    Effect.catch((failure) => {
      if (failure._tag === "EventStoreUnavailable") desk.expiring.delete(videoId)
      return Effect.logWarning("could not expire an upload", videoId, failure)
    }),
  )
})

/** Runs until it is interrupted. */
export const scheduler = Effect.fn("scheduler")(function* (
  { cell, rank }: SchedulerSettings,
  planned: Plan,
) {
  const store = yield* EventStore
  const desk = emptyDesk()
  const inputs = yield* Queue.bounded<Input>(READ_AHEAD)
  let isCaughtUp = false
  /** The first candidate does not wait for a silence when it comes. */
  let isEager = rank === 0
  let office: number | undefined
  let restBeats = 0
  let isBeatPending = false

  const stepDown = Effect.fnUntraced(function* (reason: string) {
    office = undefined
    desk.sent.clear()
    desk.expiring.clear()
    desk.quietBeats = 0
    yield* Effect.logInfo("left office", reason)
  })

  const standForOffice = Effect.gen(function* () {
    office = yield* stand(desk, cell)
    if (office === undefined) return
    isEager = false
    restBeats = IDLE_BEATS
    yield* Effect.logInfo("took office", { cell, epoch: office })
    yield* Effect.ignore(store.limit(schedulerStream(cell), REMEMBERED))
  }).pipe(
    Effect.catchTag("EventStoreUnavailable", () => Effect.logWarning("could not stand for office")),
  )

  const beatInOffice = Effect.fnUntraced(
    function* (epoch: number) {
      restBeats++
      if (!isBusy(desk) && restBeats < IDLE_BEATS) return
      yield* tick(desk, cell, epoch)
      restBeats = 0
      yield* Effect.forEach(abandonedUploads(desk.policy), (videoId) => expire(desk, videoId))
    },
    Effect.catchTags({
      RevisionConflict: () => stepDown("a tick was refused"),
      EventStoreUnavailable: () => Effect.logWarning("could not tick"),
    }),
  )

  const beat = Effect.suspend(() => {
    isBeatPending = false
    if (!isCaughtUp) return Effect.void
    if (office !== undefined) return beatInOffice(office)
    const isSilent = isOfficeSilent(desk, rank)
    return isEager || isSilent ? standForOffice : Effect.void
  })

  const act = Effect.suspend(() => {
    if (office === undefined) return Effect.void
    if (desk.queues.epoch > office) return stepDown("another one was elected")
    // It decides only after it has read its own election.
    return desk.queues.epoch === office ? recordOwed(desk, planned) : Effect.void
  })

  const take = Effect.fnUntraced(function* (input: Input) {
    switch (input._tag) {
      case "Event":
        fold(desk, input.recorded)
        break
      case "CaughtUp":
        isCaughtUp = true
        if (isEager) yield* standForOffice
        break
      case "Beat":
        yield* beat
        break
      case "Checkpoint":
        break
    }
  })

  yield* store.follow({ filter: { streams: streamsOf(cell) } }).pipe(
    Stream.runForEach((news) => Queue.offer(inputs, news)),
    Effect.forkScoped,
  )
  // The next beat only after the last was heard: a store that is away gives no ticks afterwards.
  yield* Effect.suspend(() => {
    if (isBeatPending) return Effect.void
    isBeatPending = true
    return Queue.offer(inputs, { _tag: "Beat" })
  }).pipe(Effect.delay("1 second"), Effect.forever, Effect.forkScoped)

  return yield* Queue.takeAll(inputs).pipe(
    Effect.flatMap((batch) => Effect.forEach(batch, take, { discard: true })),
    Effect.andThen(act),
    Effect.forever,
  )
}, Effect.scoped)
