/**
 * The progress of one video as server-sent events: `upload`, `rendition`, `playable`, `published`,
 * `extended`, `failed`, `taken-down`, `reinstated`. An event's id is its position in the log, so a client that
 * comes back with `Last-Event-ID` misses nothing. All who look at one video share one fold of its
 * life and one subscription; a connection only knows how far it has told, so a slow one holds up nobody.
 */
import {
  Context,
  Deferred,
  Effect,
  Exit,
  Layer,
  Metric,
  RcMap,
  Schema,
  Scope,
  Stream,
} from "effect"
import { isAfter, Position, type VideoId } from "#domain/ids.ts"
import type { VideoNotFound } from "#domain/video/video.ts"
import { EventStore, type EventStoreUnavailable, type Recorded } from "#infra/event-store/port.ts"
import { transcodeProgress } from "#projections/transcode-progress.ts"
import { type WatchPage, watchPage } from "#projections/watch-page.ts"
import { lifeOf, until } from "./life.ts"
import { type Message, messagesOf, type Progress, textOf } from "./live-messages.ts"
import { ApiSettings } from "./settings.ts"
import { refusalOf, type VideoIsClosed } from "./strangers.ts"

/** A comment now and then, so that proxies and browsers keep the connection. */
const HEARTBEAT = "15 seconds"
/** Of ten thousand parts that are reported one by one, all texts would take hundreds of megabytes. */
const MOST_OF_UPLOAD = 100

/** This process holds as many connections open as it may. */
export class TooManyEventStreams extends Schema.TaggedError<TooManyEventStreams>()(
  "TooManyEventStreams",
  { limit: Schema.Int },
) {}

interface Asked {
  readonly videoId: VideoId
  /** The last position the client has heard. */
  readonly after: string | undefined
  readonly isOwner: boolean
}

export class LiveProgress extends Context.Service<
  LiveProgress,
  {
    /** The frames so far that are after `after`, then each new one. Ends for strangers when the video is closed to them. */
    readonly follow: (
      asked: Asked,
    ) => Effect.Effect<
      Stream.Stream<string>,
      TooManyEventStreams | VideoNotFound | VideoIsClosed | EventStoreUnavailable
    >
  }
>()("apps/api/LiveProgress") {}

// One video

interface Line {
  readonly position: string
  text: string
}

interface Life {
  readonly videoId: VideoId
  readonly lines: Array<Line>
  /** Those of the upload: each names every part that has arrived. */
  readonly ofUpload: Array<Line>
  progress: Progress
  page: WatchPage | null
  /** While the video is closed to strangers: how many lines they may still be told. */
  shutAfter: number | undefined
  /** Done when there is something new, and replaced. */
  changed: Deferred.Deferred<void>
}

const keep = (life: Life, position: string, messages: ReadonlyArray<Message>) => {
  const line = { position, text: textOf(position, messages) }
  life.lines.push(line)
  if (messages.some(({ event }) => event === "upload")) life.ofUpload.push(line)
  if (life.ofUpload.length <= MOST_OF_UPLOAD) return
  // What it said, all later ones say too.
  const superseded = life.ofUpload.shift()
  if (superseded !== undefined) superseded.text = ""
}

const hear = (life: Life, { event, ...place }: Recorded) => {
  if (event._tag === "Unreadable") return
  const fact = { event, ...place }
  const before = life.progress
  life.progress = transcodeProgress.evolve(before, fact)
  const messages = messagesOf(event, before, life.progress)
  if (messages.length > 0) keep(life, place.position, messages)
  // The other streams don't change who may look.
  if (!place.stream.startsWith("video-")) return
  life.page = watchPage.evolve(life.page, fact)
  const isShut = refusalOf(life.videoId, life.page ?? undefined) !== undefined
  life.shutAfter = isShut ? (life.shutAfter ?? life.lines.length) : undefined
}

const openLife = Effect.fn("openLife")(function* (videoId: VideoId) {
  const store = yield* EventStore
  // The streams are read one beside the other: what comes meanwhile is left to the subscription, which has the log's order.
  const end = yield* store.end
  const past = until(yield* lifeOf(videoId), { position: Position.make(end) })
  const life: Life = {
    ...{ videoId, lines: [], ofUpload: [], progress: null, page: null, shutAfter: 0 },
    changed: Deferred.makeUnsafe(),
  }
  for (const recorded of past) hear(life, recorded)
  const streams = [`video-${videoId}`, `upload-${videoId}`, `transcode-${videoId}`]
  yield* store.follow({ after: end, filter: { streams } }).pipe(
    Stream.runForEach((news) =>
      Effect.suspend(() => {
        if (news._tag !== "Event") return Effect.void
        hear(life, news.recorded)
        const { changed } = life
        life.changed = Deferred.makeUnsafe()
        return Deferred.succeed(changed, undefined)
      }),
    ),
    Effect.forkScoped,
  )
  return life
})

// One connection

const tell = (life: Life, { after, isOwner }: Asked): Stream.Stream<string> => {
  const mostOf = () => (isOwner ? undefined : life.shutAfter) ?? life.lines.length
  const isNew = ({ position }: Line) => after === undefined || isAfter(position, after)
  return Stream.unfold(0, (told) =>
    Effect.gen(function* () {
      while (mostOf() <= told) {
        if (!isOwner && life.shutAfter !== undefined) return undefined
        yield* Deferred.await(life.changed)
      }
      const most = mostOf()
      const fresh = life.lines.slice(told, most).filter(isNew)
      return [fresh.map(({ text }) => text).join(""), most] as const
    }),
  ).pipe(Stream.filter((text) => text !== ""))
}

const heartbeats = Stream.tick(HEARTBEAT).pipe(Stream.map(() => ": still here\n\n"))

const openStreams = Metric.gauge("reelog_event_streams", {
  description: "Connections that are told the progress of a video",
})
const refusals = Metric.counter("reelog_event_streams_refused_total", {
  description: "Connections refused because there were as many as there may be",
  incremental: true,
})

export const liveProgress = Layer.effect(
  LiveProgress,
  Effect.gen(function* () {
    const { maxEventStreams: limit } = yield* ApiSettings
    const services = yield* Effect.context<EventStore>()
    const lives = yield* RcMap.make({
      lookup: (videoId: VideoId) => Effect.provideContext(openLife(videoId), services),
    })
    let open = 0
    const count = (change: number) =>
      Effect.suspend(() => {
        open += change
        return Metric.update(openStreams, open)
      })
    yield* count(0)
    yield* Metric.update(refusals, 0)

    const place = Effect.acquireRelease(
      Effect.suspend(() =>
        open < limit
          ? count(1)
          : Effect.andThen(Metric.update(refusals, 1), new TooManyEventStreams({ limit })),
      ),
      () => count(-1),
    )

    const begin = Effect.fnUntraced(function* (asked: Asked) {
      const { videoId, isOwner } = asked
      yield* place
      const life = yield* RcMap.get(lives, videoId)
      const refusal = isOwner ? undefined : refusalOf(videoId, life.page ?? undefined)
      if (refusal !== undefined) return yield* refusal
      return Stream.merge(tell(life, asked), heartbeats, { haltStrategy: "left" })
    })

    const follow = Effect.fn("followProgress")(function* (asked: Asked) {
      const connection = yield* Scope.make()
      const leave = Scope.close(connection, Exit.void)
      const frames = yield* begin(asked).pipe(
        Scope.provide(connection),
        Effect.onError(() => leave),
      )
      return frames.pipe(Stream.ensuring(leave))
    })

    return LiveProgress.of({ follow })
  }),
)

export const eventStreamOf = (body: ReadableStream<Uint8Array>) =>
  new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  })
