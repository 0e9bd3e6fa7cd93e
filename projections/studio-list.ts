/**
 * The videos of a channel as its owner sees them, whatever their state, newest first. A row lies on
 * the shard of its video, because most events name no channel; a list asks all shards at once.
 */
import { and, desc, eq, sql } from "drizzle-orm"
import { bigint, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core"
import { Effect, Option, Schema } from "effect"
import { Media, Picture } from "#domain/transcode/facts.ts"
import type { TakedownReason, Visibility } from "#domain/video/events.ts"
import { type Cursor, fromTheTop, type Page, pageOf } from "./pages.ts"
import { type Fact, projection, videoOfEvent } from "./projection.ts"
import { query, type Shards } from "./query.ts"
import { outputsOf } from "./task.ts"
import { type Thumbnails, withEvent, withMade } from "./thumbnails.ts"
import type { ProgressState, VideoState } from "./watch-page.ts"

export const studioVideos = pgTable("studio_videos", {
  videoId: text().primaryKey(),
  channelId: text().notNull(),
  title: text().notNull(),
  visibility: text().$type<Visibility>().notNull(),
  /** The furthest reached, or `taken-down`. */
  state: text().$type<VideoState>().notNull(),
  progress: text().$type<ProgressState>().notNull(),
  failureCode: text(),
  takedownReason: text().$type<TakedownReason>(),
  transcode: text(),
  durationTicks: bigint({ mode: "number" }),
  width: integer(),
  height: integer(),
  byteLength: bigint({ mode: "number" }),
  fileName: text(),
  thumbnails: jsonb().$type<Thumbnails>().notNull(),
  createdAt: bigint({ mode: "number" }).notNull(),
  publishedAt: bigint({ mode: "number" }),
  /** Of `video-{videoId}`: the ETag. */
  revision: integer().notNull(),
  position: text().notNull(),
})
export type StudioVideo = typeof studioVideos.$inferSelect

const readMedia = Schema.decodeUnknownOption(Media)
const readImages = Schema.decodeUnknownOption(Schema.Array(Picture))

const created = ({ event, revision, position }: Fact): StudioVideo | null => {
  if (event._tag !== "VideoCreated") return null
  const { videoId, channelId, title, visibility, at } = event
  return {
    ...{ videoId, channelId, title, visibility, state: "uploading", progress: "uploading" },
    ...{ failureCode: null, takedownReason: null, transcode: null, durationTicks: null },
    ...{ width: null, height: null, byteLength: null, fileName: null, thumbnails: [] },
    ...{ createdAt: at, publishedAt: null, revision, position },
  }
}

/** What the tasks of the latest transcode told; `null`: nothing that is listed. */
const learned = (row: StudioVideo, { event }: Fact): Partial<StudioVideo> | null => {
  const outputs = outputsOf(event, row.transcode)
  if (outputs?.images !== undefined) {
    return Option.getOrNull(
      Option.map(readImages(outputs.images), (made) => ({
        thumbnails: withMade(row.thumbnails, made),
      })),
    )
  }
  if (outputs?.media === undefined) return null
  const media = Option.map(readMedia(outputs.media), ({ durationTicks, video }) => {
    const { width, height } = video
    return { durationTicks, width, height }
  })
  return Option.getOrNull(media)
}

const changed = (row: StudioVideo, fact: Fact): Partial<StudioVideo> | null => {
  const { event } = fact
  switch (event._tag) {
    case "VideoDetailsChanged": {
      const { title = row.title, visibility = row.visibility } = event
      return { title, visibility }
    }
    case "UploadRequested":
      return { fileName: event.fileName, byteLength: event.byteLength }
    case "UploadCompleted":
      return row.progress === "uploading" ? { progress: "processing" } : null
    case "UploadExpired":
      return row.progress === "uploading" || row.progress === "playable"
        ? { progress: "failed", failureCode: "upload_expired" }
        : null
    case "TranscodePlanned":
      return { transcode: event.transcode }
    case "TaskSucceeded":
      return learned(row, fact)
    case "ThumbnailChosen":
    case "ThumbnailMade":
      return { thumbnails: withEvent(row.thumbnails, event) ?? row.thumbnails }
    case "ThumbnailUploaded":
    case "ThumbnailRefused":
    case "VideoExtended":
      return {}
    case "VideoPlayable":
      return row.progress === "published" ? {} : { progress: "playable" }
    case "VideoPublished":
      return { progress: "published", failureCode: null, publishedAt: row.publishedAt ?? event.at }
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

const evolve = (row: StudioVideo | null, fact: Fact): StudioVideo | null => {
  if (row === null) return created(fact)
  const changes = changed(row, fact)
  if (changes === null) return row
  const next = { ...row, ...changes, position: fact.position }
  return {
    ...next,
    state: next.takedownReason === null ? next.progress : "taken-down",
    revision: fact.stream.startsWith("video-") ? fact.revision : row.revision,
  }
}

export const studioList = projection({
  name: "studio-list-v1",
  table: studioVideos,
  keyOf: ({ event }) => videoOfEvent(event),
  evolve,
})

// Queries

const newestOfChannel = query<Cursor & { limit: number; channelId: string }>()(
  "studio_list",
  (database, name) =>
    database
      .select()
      .from(studioVideos)
      .where(
        and(
          eq(studioVideos.channelId, sql.placeholder("channelId")),
          sql`(${studioVideos.createdAt}, ${studioVideos.videoId}) <
            (${sql.placeholder("at")}::bigint, ${sql.placeholder("key")}::text)`,
        ),
      )
      .orderBy(desc(studioVideos.createdAt), desc(studioVideos.videoId))
      .limit(sql.placeholder("limit"))
      .prepare(name),
)

interface Wanted {
  readonly channelId: string
  readonly limit: number
  readonly after?: Cursor
}

export const listChannelVideos = <Failure>(
  shards: Shards<Failure>,
  { channelId, limit, after = fromTheTop }: Wanted,
): Effect.Effect<Page<StudioVideo>, Failure> =>
  Effect.map(
    shards.onEveryShard(newestOfChannel, { ...after, channelId, limit: limit + 1 }),
    (rows) => pageOf(rows, limit, ({ createdAt, videoId }) => ({ at: createdAt, key: videoId })),
  )
