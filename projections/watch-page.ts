/**
 * What the watch page shows of one video, and `GET /v1/videos/{id}`. A video that was taken down
 * keeps its row, so that 451 can be told from 404. Titles and names are sealed: whoever shows them
 * opens them.
 */
import { eq, sql } from "drizzle-orm"
import {
  bigint,
  boolean,
  doublePrecision,
  integer,
  jsonb,
  pgTable,
  text,
} from "drizzle-orm/pg-core"
import { Effect, Option, Schema } from "effect"
import { runOf } from "#domain/keys.ts"
import { Media, Packaged, Picture, Rung, Storyboard } from "#domain/transcode/facts.ts"
import type { TakedownReason, Visibility } from "#domain/video/events.ts"
import { type Fact, projection, videoOfEvent } from "./projection.ts"
import { query, type Shards } from "./query.ts"
import { outputsOf } from "./task.ts"
import { type Thumbnails, withEvent, withMade } from "./thumbnails.ts"

/** A rung of the ladder; its measured bit rates are known once it is packaged. */
export interface RungShown {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly codecs: string
  readonly maxBitsPerSecond: number
  readonly averageBitsPerSecond: number | null
  readonly peakBitsPerSecond: number | null
  readonly byteLength: number | null
}

export const progressStates = [
  "uploading",
  "processing",
  "playable",
  "published",
  "failed",
] as const
export type ProgressState = (typeof progressStates)[number]
export type VideoState = ProgressState | "taken-down"

export const watchPages = pgTable("watch_pages", {
  videoId: text().primaryKey(),
  channelId: text().notNull(),
  accountId: text().notNull(),
  title: text().notNull(),
  description: text(),
  visibility: text().$type<Visibility>().notNull(),
  /** The furthest reached, or `taken-down`. */
  state: text().$type<VideoState>().notNull(),
  /** The furthest reached, taken down or not: where a reinstated video stands. */
  progress: text().$type<ProgressState>().notNull(),
  isUploaded: boolean().notNull(),
  failureCode: text(),
  takedownReason: text().$type<TakedownReason>(),
  /** Of the latest plan: media lie under `segments/{videoId}/{run}/`. */
  transcode: text(),
  run: integer(),
  /** The run that is watched: the one that was told to be playable or published. */
  playableRun: integer(),
  demuxer: text(),
  durationTicks: bigint({ mode: "number" }),
  width: integer(),
  height: integer(),
  codec: text(),
  framesPerSecond: doublePrecision(),
  hasAudio: boolean(),
  byteLength: bigint({ mode: "number" }),
  fileName: text(),
  rungs: jsonb().$type<ReadonlyArray<RungShown>>().notNull(),
  thumbnails: jsonb().$type<Thumbnails>().notNull(),
  storyboard: jsonb().$type<Storyboard>(),
  createdAt: bigint({ mode: "number" }).notNull(),
  playableAt: bigint({ mode: "number" }),
  publishedAt: bigint({ mode: "number" }),
  /** Of `video-{videoId}`: the ETag. */
  revision: integer().notNull(),
  /** Of the last event that changed the row. */
  position: text().notNull(),
})
export type WatchPage = typeof watchPages.$inferSelect

// Facts that tasks told

const read = {
  media: Schema.decodeUnknownOption(Media),
  rungs: Schema.decodeUnknownOption(Schema.Array(Rung)),
  images: Schema.decodeUnknownOption(Schema.Array(Picture)),
  storyboard: Schema.decodeUnknownOption(Storyboard),
  manifest: Schema.decodeUnknownOption(Packaged),
}

const showRung = ({ name, width, height, codecs, maxBitsPerSecond }: Rung): RungShown => {
  const measured = { averageBitsPerSecond: null, peakBitsPerSecond: null, byteLength: null }
  return { name, width, height, codecs, maxBitsPerSecond, ...measured }
}

const showMedia = ({ demuxer, video, audio, durationTicks }: Media) => ({
  demuxer,
  durationTicks,
  width: video.width,
  height: video.height,
  codec: video.codec,
  framesPerSecond: video.framesPerSecond,
  hasAudio: audio !== null,
})

const measureRungs = (rungs: ReadonlyArray<RungShown>, packaged: Packaged) =>
  rungs.map((rung): RungShown => {
    const found = packaged.rungs.find((measured) => measured.rung === rung.name)
    if (found === undefined) return rung
    const { averageBitsPerSecond, peakBitsPerSecond, bytes } = found
    return { ...rung, averageBitsPerSecond, peakBitsPerSecond, byteLength: bytes }
  })

const joined = (shown: ReadonlyArray<RungShown>, fresh: ReadonlyArray<RungShown>) =>
  [...shown, ...fresh.filter(({ name }) => shown.every((known) => known.name !== name))].toSorted(
    (a, b) => a.height - b.height,
  )
const isIn = ({ rungs }: Packaged, name: string) => rungs.some(({ rung }) => rung === name)

/** Whatever the task was, what it told about the video is shown; a superseded run tells nothing. */
const learn = (page: WatchPage, fact: Fact): WatchPage => {
  const outputs = outputsOf(fact.event, page.transcode)
  if (outputs === null || !Object.keys(outputs).some((name) => name in read)) return page
  const media = Option.map(read.media(outputs.media), showMedia)
  const rungs = Option.map(read.rungs(outputs.rungs), (ladder) => ladder.map(showRung))
  const images = read.images(outputs.images)
  const storyboard = read.storyboard(outputs.storyboard)
  const packaged = read.manifest(outputs.manifest)
  const facts: ReadonlyArray<Option.Option<unknown>> = [media, rungs, images, storyboard, packaged]
  if (facts.every(Option.isNone)) return page
  // Made anew, what is watched stays in the list until the new renditions are whole.
  const isAnew = page.progress === "published" && page.run !== page.playableRun
  const told = Option.map(rungs, (fresh) => (isAnew ? joined(page.rungs, fresh) : fresh))
  const ladder = Option.getOrElse(told, () => page.rungs)
  return {
    ...page,
    ...Option.getOrElse(media, () => ({})),
    rungs: Option.match(packaged, {
      onNone: () => ladder,
      onSome: (measured) =>
        measureRungs(isAnew ? ladder.filter(({ name }) => isIn(measured, name)) : ladder, measured),
    }),
    thumbnails: Option.match(images, {
      onNone: () => page.thumbnails,
      onSome: (made) => withMade(page.thumbnails, made),
    }),
    storyboard: Option.getOrElse(storyboard, () => page.storyboard),
    position: fact.position,
  }
}

// Rules

const created = (fact: Fact): WatchPage | null => {
  if (fact.event._tag !== "VideoCreated") return null
  const { videoId, channelId, accountId, title, description, visibility, at } = fact.event
  return {
    ...{ videoId, channelId, accountId, title, description, visibility },
    ...{ state: "uploading", progress: "uploading", isUploaded: false },
    ...{ failureCode: null, takedownReason: null, transcode: null, run: null, playableRun: null },
    ...{ demuxer: null, durationTicks: null, width: null, height: null, codec: null },
    ...{ framesPerSecond: null, hasAudio: null, byteLength: null, fileName: null },
    ...{ rungs: [], thumbnails: [], storyboard: null },
    ...{ createdAt: at, playableAt: null, publishedAt: null },
    ...{ revision: fact.revision, position: fact.position },
  }
}

/** What changes by this event, but for state and place; `null`: nothing does. */
const changed = (page: WatchPage, { event }: Fact): Partial<WatchPage> | null => {
  switch (event._tag) {
    case "VideoDetailsChanged": {
      const { title = page.title, description = page.description } = event
      return { title, description, visibility: event.visibility ?? page.visibility }
    }
    case "UploadRequested":
      return { fileName: event.fileName, byteLength: event.byteLength }
    case "UploadCompleted":
      return {
        isUploaded: true,
        byteLength: event.byteLength,
        progress: page.progress === "uploading" ? "processing" : page.progress,
      }
    case "UploadExpired":
      return page.isUploaded ? null : { progress: "failed", failureCode: "upload_expired" }
    case "TranscodePlanned":
      return page.run !== null && page.run >= runOf(event.transcode)
        ? null
        : { transcode: event.transcode, run: runOf(event.transcode) }
    case "ThumbnailChosen":
    case "ThumbnailMade":
      return { thumbnails: withEvent(page.thumbnails, event) ?? page.thumbnails }
    case "ThumbnailUploaded":
    case "ThumbnailRefused":
    case "VideoExtended":
      return {}
    case "VideoPlayable":
      return {
        progress: page.progress === "published" ? "published" : "playable",
        playableRun: runOf(event.transcode),
        playableAt: event.at,
      }
    case "VideoPublished":
      return {
        progress: "published",
        failureCode: null,
        playableRun: runOf(event.transcode),
        playableAt: page.playableAt ?? event.at,
        // Made anew, it is as old as it was.
        publishedAt: page.publishedAt ?? event.at,
      }
    case "VideoFailed":
      return { progress: "failed", failureCode: event.code }
    case "VideoTakenDown":
      return { takedownReason: event.reason }
    case "VideoReinstated":
      return { takedownReason: null }
    default:
      return null
  }
}

const evolve = (page: WatchPage | null, fact: Fact): WatchPage | null => {
  if (page === null) return created(fact)
  if (fact.event._tag === "TaskSucceeded") return learn(page, fact)
  const changes = changed(page, fact)
  if (changes === null) return page
  const next = { ...page, ...changes, position: fact.position }
  return {
    ...next,
    state: next.takedownReason === null ? next.progress : "taken-down",
    revision: fact.stream.startsWith("video-") ? fact.revision : page.revision,
  }
}

export const watchPage = projection({
  name: "watch-page-v1",
  table: watchPages,
  keyOf: ({ event }) => videoOfEvent(event),
  evolve,
})

// Queries

const byVideo = query<{ videoId: string }>()("watch_page_by_video", (database, name) =>
  database
    .select()
    .from(watchPages)
    .where(eq(watchPages.videoId, sql.placeholder("videoId")))
    .prepare(name),
)

/** `undefined`: no such video. */
export const findWatchPage = <Failure>(
  shards: Shards<Failure>,
  videoId: string,
): Effect.Effect<WatchPage | undefined, Failure> =>
  Effect.map(shards.onShardOf(videoId, byVideo, { videoId }), ([page]) => page)
