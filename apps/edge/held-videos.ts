/**
 * The videos this server knows, folded from the log and held in a bounded LRU. The first request
 * for a video reads its two streams, once for all who ask meanwhile; one live subscription advances
 * what is held and closes doors, and `looking.ts` makes sure that its silence means no news. What
 * arrives while a video is being read waits and is applied after: revisions tell what the read has
 * seen already.
 */
import { type Cause, Deferred, type Duration, Effect, Schedule, Schema, Stream } from "effect"
import { isAfter, transcodeStream, type VideoId, videoStream } from "#domain/ids.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import {
  type Door,
  doorOf,
  evolvePlayback,
  noPlayback,
  type Playback,
} from "#projections/playback.ts"
import { lookAtTheLog } from "./looking.ts"

/** The log can't be read now, or too many ask for videos that are not held. */
export class VideoUnread extends Schema.TaggedError<VideoUnread>()("VideoUnread", {}) {}

export interface HeldVideosOptions {
  /** Prefix of the ids this server may know. */
  readonly cell: string
  readonly maxHeld: number
  readonly maxReading: number
  readonly readTimeout: Duration.Input
}

interface Held {
  readonly playback: Playback
  readonly door: Door
  /** Of the last event applied, by stream; -1: none. */
  readonly revisions: Readonly<Record<string, number>>
}

interface Reading {
  readonly done: Deferred.Deferred<Door, VideoUnread>
  readonly arrived: Array<Recorded>
}

const unheld: Held = { playback: noPlayback, door: doorOf(noPlayback), revisions: {} }

/** `null`: an event between is missing, and the video has to be read again. */
const advance = (held: Held, { stream, revision, event }: Recorded): Held | null => {
  const known = held.revisions[stream] ?? -1
  if (revision <= known) return held
  if (revision > known + 1) return null
  const playback = evolvePlayback(held.playback, event)
  const revisions = { ...held.revisions, [stream]: revision }
  return { playback, revisions, door: playback === held.playback ? held.door : doorOf(playback) }
}

const fold = (events: ReadonlyArray<Recorded>): Held => {
  const last = events.map(({ stream, revision }) => [stream, revision] as const)
  const playback = events.reduce(
    (known, { event }) => evolvePlayback(known, event),
    unheld.playback,
  )
  return { playback, door: doorOf(playback), revisions: Object.fromEntries(last) }
}

/** Oldest first, the last used at the end. Absent videos are kept apart, so that guessed ids push out nobody. */
const lru = (maxHeld: number) => {
  const held = new Map<string, Held>()
  const absent = new Map<string, Held>()
  const forget = (id: string) => {
    held.delete(id)
    absent.delete(id)
  }
  const put = (id: string, video: Held) => {
    const [shelf, other] = video.door._tag === "Absent" ? [absent, held] : [held, absent]
    other.delete(id)
    shelf.set(id, video)
    const [oldest] = shelf.keys()
    if (shelf.size > maxHeld && oldest !== undefined) shelf.delete(oldest)
  }
  return {
    peek: (id: string) => held.get(id) ?? absent.get(id),
    /** In its place: news of a video is not use of it. */
    put,
    use: (id: string, video: Held) => {
      forget(id)
      put(id, video)
    },
    forget,
    clear: () => {
      held.clear()
      absent.clear()
    },
    size: () => held.size,
  }
}

export const holdVideos = Effect.fn("holdVideos")(function* (options: HeldVideosOptions) {
  const store = yield* EventStore
  const scope = yield* Effect.scope
  let following = Deferred.makeUnsafe<void>()
  const videos = lru(options.maxHeld)
  const reading = new Map<string, Reading>()
  let position = "0"

  const arrive = (recorded: Recorded) => {
    if (isAfter(recorded.position, position)) position = recorded.position
    const id = recorded.stream.slice(recorded.stream.indexOf("-") + 1)
    reading.get(id)?.arrived.push(recorded)
    const held = videos.peek(id)
    if (held === undefined) return
    const advanced = advance(held, recorded)
    if (advanced === null) videos.forget(id)
    else videos.put(id, advanced)
  }

  /** Only what opens and closes doors: a growing list may be late while the subscription is cut. */
  const looks = yield* lookAtTheLog({ filter: { streams: [videoStream(options.cell)] }, arrive })

  const follow = Effect.gen(function* () {
    const end = yield* Effect.retry(store.end, Schedule.spaced("500 millis"))
    position = end
    looks.beginAt(end)
    yield* Deferred.succeed(following, undefined)
    const prefixes = [videoStream(options.cell), transcodeStream(options.cell)]
    // An empty log has no position to follow from but its beginning.
    const from = end === "0" ? {} : { after: end }
    yield* store.follow({ ...from, filter: { streams: prefixes } }).pipe(
      Stream.runForEach((news) =>
        Effect.sync(() => {
          if (news._tag === "Event") arrive(news.recorded)
          else if (news._tag === "Checkpoint") position = news.position
        }),
      ),
    )
  })

  /** Who doesn't follow may not serve from memory: no news would close a door. */
  const stopServing = (cause: Cause.Cause<unknown>) => {
    following = Deferred.makeUnsafe()
    videos.clear()
    return Effect.logError("following the log broke", cause)
  }
  yield* follow.pipe(
    Effect.catchCause(stopServing),
    Effect.repeat(Schedule.spaced("1 second")),
    Effect.forkIn(scope),
  )

  /** A published video needs no more of its transcode, and it is the long stream. */
  const readStreams = Effect.fnUntraced(function* (id: VideoId) {
    yield* Deferred.await(following)
    const ofVideo = yield* store.read(videoStream(id))
    const { door } = fold(ofVideo)
    const ofTranscode = door._tag === "Final" ? [] : yield* store.read(transcodeStream(id))
    const held = fold([...ofVideo, ...ofTranscode])
    if (door._tag !== "Final") return held
    const revisions = { ...held.revisions, [transcodeStream(id)]: Number.MAX_SAFE_INTEGER }
    return { ...held, revisions }
  })

  const read = Effect.fnUntraced(
    function* (id: VideoId, { arrived }: Reading) {
      const seen = yield* readStreams(id)
      const held = arrived.reduce<Held | null>(
        (known, recorded) => known && advance(known, recorded),
        seen,
      )
      // A gap behind a read that has just been made: read again at the next request.
      if (held === null) return yield* new VideoUnread()
      videos.use(id, held)
      return held.door
    },
    (attempt) => Effect.timeout(attempt, options.readTimeout),
    Effect.mapError(() => new VideoUnread()),
  )

  const startReading = (id: VideoId): Reading => {
    const started: Reading = { done: Deferred.makeUnsafe(), arrived: [] }
    reading.set(id, started)
    return started
  }

  const used = (id: VideoId): Door | undefined => {
    const held = videos.peek(id)
    if (held !== undefined) videos.use(id, held)
    return held?.door
  }

  /** What is held and known to be true a moment ago, without asking anyone. */
  const peek = (id: VideoId): Door | undefined =>
    videos.peek(id) !== undefined && looks.isFresh() ? used(id) : undefined

  const find = Effect.fn("findVideo")(function* (id: VideoId) {
    if (videos.peek(id) !== undefined) yield* looks.freshness
    const door = used(id)
    if (door !== undefined) return door
    if (!id.startsWith(options.cell)) return unheld.door
    const already = reading.get(id)
    if (already !== undefined) return yield* Deferred.await(already.done)
    if (reading.size >= options.maxReading) return yield* new VideoUnread()
    const started = startReading(id)
    // Not a child of this request: others wait for the same, and this one may hang up.
    const finish = Effect.exit(read(id, started)).pipe(
      Effect.flatMap((exit) => {
        reading.delete(id)
        return Deferred.done(started.done, exit)
      }),
    )
    yield* Effect.forkIn(finish, scope)
    return yield* Deferred.await(started.done)
  })

  return { peek, find, size: videos.size, position: () => position, looks: looks.counts }
})

export type HeldVideos = Effect.Success<ReturnType<typeof holdVideos>>
