/** What the pages ask, answered from the read models and the log by the API's own functions. */
import { Clock, Effect, Schema } from "effect"
import { account, type SignInLinkSpent } from "#domain/account/account.ts"
import { Timestamp, VideoId } from "#domain/ids.ts"
import { LEASE_TICKS } from "#domain/scheduling/queues.ts"
import { queuesView } from "#domain/scheduling/view.ts"
import { Sealed } from "#domain/sealed.ts"
import { TICKS } from "#domain/transcode/facts.ts"
import { execute } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { Identity, owner, SESSION_COOKIE, SESSION_SECONDS } from "#infra/identity/port.ts"
import { PersonalData } from "#infra/personal-data/port.ts"
import { ReadStore } from "#infra/read-store/port.ts"
import { findChannel } from "#projections/channel.ts"
import { listPublicVideos } from "#projections/home-list.ts"
import { listModeration, type ModerationEntry } from "#projections/moderation-log.ts"
import { readCursor } from "#projections/pages.ts"
import { listChannelVideos, type StudioVideo } from "#projections/studio-list.ts"
import type { WatchPage } from "#projections/watch-page.ts"
import { dependencies } from "../api/health.ts"
import { lifeOf } from "../api/life.ts"
import { COMPLETION_GROUP, LiveQueues } from "../api/queue.ts"
import { pageAt, pageNow } from "../api/reading.ts"
import type { Run } from "../api/respond.ts"
import type { ApiServices } from "../api/services.ts"
import { ApiSettings } from "../api/settings.ts"
import { imageUrl } from "../api/shown-video.ts"
import {
  type Asked,
  type ModerationRow,
  type QueuesView,
  type Reader,
  ReaderUnavailable,
  type StudioRow,
  type Told,
  type VideoCard,
  type VideoPage,
} from "../web/reader.ts"
import { shownBy, stillsOf } from "./stills.ts"

const PAGE_ROWS = 24

const sealed = (text: string) => Sealed.make(text)
const cursorOf = ({ cursor }: Asked) => {
  const after = cursor === undefined ? null : readCursor(cursor)
  return after === null ? {} : { after }
}

// Rows as the pages show them

type Names = ReadonlyMap<string, Sealed>

const cardOf = (edgeUrl: string, names: Names, row: StudioVideo | WatchPage): VideoCard => ({
  videoId: row.videoId,
  channelId: row.channelId,
  channelName: names.get(row.channelId) ?? null,
  title: sealed(row.title),
  visibility: row.visibility,
  state: row.state,
  durationSeconds: row.durationTicks === null ? null : row.durationTicks / TICKS,
  still: shownBy(edgeUrl, row.thumbnails),
  createdAt: row.createdAt,
  publishedAt: row.publishedAt,
})

const studioRowOf = (edgeUrl: string, names: Names, row: StudioVideo | WatchPage): StudioRow => ({
  ...cardOf(edgeUrl, names, row),
  height: row.height,
  byteLength: row.byteLength,
  failureCode: row.failureCode,
})

const sourceOf = ({ width, height, framesPerSecond, codec, hasAudio }: WatchPage) =>
  width === null || height === null || framesPerSecond === null || codec === null
    ? null
    : { width, height, framesPerSecond, codec, hasAudio: hasAudio === true }

const canPlay = ({ state }: WatchPage) => state === "playable" || state === "published"

const videoPageOf = (edgeUrl: string, names: Names, row: WatchPage): VideoPage => ({
  ...studioRowOf(edgeUrl, names, row),
  description: row.description === null ? null : sealed(row.description),
  revision: row.revision,
  position: row.position,
  takedownReason: row.takedownReason,
  hlsUrl: canPlay(row) ? `${edgeUrl}/v/${row.videoId}/main.m3u8` : null,
  stills: stillsOf(edgeUrl, row.thumbnails),
  storyboardUrl: row.storyboard && imageUrl(edgeUrl, row.storyboard.vttKey),
  fileName: row.fileName === null ? null : sealed(row.fileName),
  source: sourceOf(row),
  renditions: [...row.rungs]
    .sort((a, b) => b.height - a.height)
    .map(({ name, width, height, codecs, byteLength, averageBitsPerSecond, maxBitsPerSecond }) => ({
      ...{ name, width, height, codecs, byteLength },
      bitsPerSecond: averageBitsPerSecond ?? maxBitsPerSecond,
    })),
})

// Questions

const namesOf = Effect.fnUntraced(function* (channelIds: Iterable<string>) {
  const store = yield* ReadStore
  const rows = yield* Effect.forEach([...new Set(channelIds)], (id) => findChannel(store, id))
  return new Map(rows.flatMap((row) => (row ? [[row.channelId, sealed(row.name)] as const] : [])))
})

const waitUntil = Effect.fnUntraced(function* (model: string, after: string | undefined) {
  const store = yield* ReadStore
  if (after !== undefined) yield* store.waitFor(model, after)
})

const home = Effect.fn("pages.home")(function* (asked: Asked) {
  const store = yield* ReadStore
  const { edgeUrl } = yield* ApiSettings
  yield* waitUntil("watch-page-v1", asked.after)
  const { rows, next } = yield* listPublicVideos(store, { limit: PAGE_ROWS, ...cursorOf(asked) })
  const names = yield* namesOf(rows.map(({ channelId }) => channelId))
  return { rows: rows.map((row) => cardOf(edgeUrl, names, row)), next }
})

const studio = Effect.fn("pages.studio")(function* (channelId: string, asked: Asked) {
  const store = yield* ReadStore
  const { edgeUrl } = yield* ApiSettings
  yield* waitUntil("studio-list-v1", asked.after)
  const wanted = { channelId, limit: PAGE_ROWS, ...cursorOf(asked) }
  const { rows, next } = yield* listChannelVideos(store, wanted)
  const names = yield* namesOf([channelId])
  return { rows: rows.map((row) => studioRowOf(edgeUrl, names, row)), next }
})

const video = Effect.fn("pages.video")(function* (
  id: string,
  { at, after }: { readonly at?: string; readonly after?: string },
) {
  if (!Schema.is(VideoId)(id)) return null
  const { edgeUrl } = yield* ApiSettings
  const row = yield* at === undefined
    ? pageNow(id, after)
    : pageAt(id, { position: at as never }).pipe(
        Effect.catchTag("VideoNotFound", () => Effect.succeed(undefined)),
      )
  if (row === undefined) return null
  return videoPageOf(edgeUrl, yield* namesOf([row.channelId]), row)
})

const history = Effect.fn("pages.history")(function* (id: string) {
  const life = yield* lifeOf(VideoId.make(id)).pipe(
    Effect.catchTag("VideoNotFound", () => Effect.succeed([])),
  )
  return life.map(
    ({ position, stream, revision, recordedAt, metadata, event }): Told => ({
      ...{ position, stream, revision, recordedAt, event },
      actor: metadata.actor,
    }),
  )
})

const moderationRow = (entry: ModerationEntry, page: WatchPage | undefined): ModerationRow => ({
  videoId: entry.videoId,
  title: page === undefined ? null : sealed(page.title),
  action: entry.action,
  reason: entry.reason,
  actor: entry.actor,
  at: entry.at,
  position: entry.position,
  isInForce: entry.action === "taken-down" && page?.state === "taken-down",
})

const moderation = Effect.fn("pages.moderation")(function* (asked: Asked) {
  const store = yield* ReadStore
  yield* waitUntil("moderation-log-v1", asked.after)
  const { rows, next } = yield* listModeration(store, { limit: PAGE_ROWS, ...cursorOf(asked) })
  const shown = yield* Effect.forEach(rows, (entry) =>
    Effect.map(pageNow(VideoId.make(entry.videoId)), (page) => moderationRow(entry, page)),
  )
  return { rows: shown, next }
})

const PARKED_SHOWN = 50

const ownerOf = (stream: string) => stream.slice(stream.indexOf("-") + 1)

const queues = Effect.fn("pages.queues")(function* () {
  const live = yield* LiveQueues
  const store = yield* EventStore
  const rows = yield* ReadStore
  const { cell } = yield* ApiSettings
  const held = yield* live.now
  const view = queuesView(held.queues)
  const group = yield* store.groupState(COMPLETION_GROUP)
  const checkpoints = yield* rows.checkpoints
  const parked = yield* store.parkedOf(COMPLETION_GROUP, PARKED_SHOWN)
  const setAside = yield* rows.parked
  const nobody = new Set(view.nobodyCan.map(({ type }) => type))
  return {
    ...{ cell, epoch: view.epoch, tick: view.tick, position: held.position },
    readyCount: view.taskCount,
    ready: view.taskQueue.map(({ taskId, videoId, type, failures, isFirst }) => ({
      ...{ taskId, videoId, type },
      because: nobody.has(type)
        ? ("nobody-can" as const)
        : failures > 0
          ? ("retry" as const)
          : isFirst
            ? ("first-seconds" as const)
            : ("fair-share" as const),
    })),
    workers: view.workerQueue.map(({ worker, can, slots, free, isStopping }) => ({
      ...{ worker, can, slots, isStopping },
      busy: slots - free,
    })),
    running: view.runningQueue.map(({ taskId, worker, attempt }) => ({
      ...{ taskId, worker, attempt, leaseTicks: LEASE_TICKS },
      videoId: taskId.slice(0, taskId.lastIndexOf(".")),
      ticksLeft: view.workerQueue.find((one) => one.worker === worker)?.ticksLeft ?? 0,
    })),
    completion: {
      backlog: group?.backlog ?? 0,
      inFlight: group?.inFlight ?? 0,
      parked: parked.map(({ recorded: { position, event, stream }, tries }) => ({
        ...{ position, tries, videoId: ownerOf(stream) },
        type: event._tag === "Unreadable" ? event.type : event._tag,
      })),
    },
    setAside: setAside.map(({ position, type, stream, model }) => ({
      ...{ position, type, model, videoId: ownerOf(stream) },
    })),
    models: checkpoints.map(({ model, position }) => ({
      ...{ name: model, position },
      isBehind: BigInt(held.position) > BigInt(position),
    })),
  } satisfies QueuesView
})

const readinessOf = Effect.map(dependencies(), (found) =>
  Object.entries(found).map(([name, isReady]) => ({ name, isReady })),
)

const open = Effect.fn("pages.open")(function* (text: Sealed) {
  const personal = yield* PersonalData
  return yield* personal.open(text)
})

const session = Effect.fn("pages.session")(function* (token: string) {
  const who = yield* Identity
  const at = yield* Clock.currentTimeMillis
  const actor = who.actorOf({ cookie: `${SESSION_COOKIE}=${token}` }, at)
  if (actor === undefined) return null
  const names = yield* namesOf([actor.channelId]).pipe(
    Effect.catch(() => Effect.succeed<Names>(new Map())),
  )
  return { ...actor, name: names.get(actor.channelId) ?? null }
})

const signIn = Effect.fn("pages.signIn")(function* (code: string) {
  const who = yield* Identity
  const millis = yield* Clock.currentTimeMillis
  const link = who.readSignInCode(code, millis)
  if (link === undefined) return null
  const { accountId } = owner
  const at = Timestamp.make(millis)
  const context = { cause: `sign in ${link} ${crypto.randomUUID()}`, actor: accountId }
  const used = yield* execute(
    account,
    { _tag: "UseSignInLink", accountId, link, at },
    context,
  ).pipe(
    Effect.as(true),
    Effect.catchTag("SignInLinkSpent", (_: SignInLinkSpent) => Effect.succeed(false)),
  )
  return used ? { token: who.session(accountId, millis), maxAgeSeconds: SESSION_SECONDS } : null
})

export const readerOver = (run: Run<ApiServices>): Reader => {
  const asking = <A, E>(question: Effect.Effect<A, E, ApiServices>) =>
    Effect.flatten(Effect.promise(() => run(question))).pipe(
      Effect.mapError((cause) => new ReaderUnavailable({ cause })),
    )
  return {
    home: (asked) => asking(home(asked)),
    studio: (channelId, asked) => asking(studio(channelId, asked)),
    video: (id, asked) => asking(video(id, asked)),
    history: (id) => asking(history(id)),
    moderation: (asked) => asking(moderation(asked)),
    queues: () => asking(queues()),
    readiness: () => Effect.orDie(asking(readinessOf)),
    open: (text) => asking(open(text)),
    session: (token) => asking(session(token)),
    signIn: (code) => asking(signIn(code)),
    // A session is a signed text: the browser forgets it, and there is no table to strike it from.
    signOut: () => Effect.void,
  }
}
