/** What moderators did, newest first: a row for each takedown and each reinstatement. */
import { and, desc, eq, sql } from "drizzle-orm"
import { bigint, pgTable, text } from "drizzle-orm/pg-core"
import { Effect } from "effect"
import type { TakedownReason } from "#domain/video/events.ts"
import { type Cursor, fromTheTop, type Page, pageOf } from "./pages.ts"
import { type Fact, projection } from "./projection.ts"
import { query, type Shards } from "./query.ts"

export const moderationEntries = pgTable("moderation_entries", {
  /** `{videoId}:{revision}`: one event, one row. */
  entryId: text().primaryKey(),
  videoId: text().notNull(),
  action: text().$type<"taken-down" | "reinstated">().notNull(),
  reason: text().$type<TakedownReason>(),
  actor: text().notNull(),
  at: bigint({ mode: "number" }).notNull(),
  position: text().notNull(),
})
export type ModerationEntry = typeof moderationEntries.$inferSelect

const evolve = (row: ModerationEntry | null, fact: Fact): ModerationEntry | null => {
  const { event, position } = fact
  if (event._tag !== "VideoTakenDown" && event._tag !== "VideoReinstated") return row
  const { videoId, actor, at } = event
  return {
    entryId: `${videoId}:${fact.revision}`,
    videoId,
    action: event._tag === "VideoTakenDown" ? "taken-down" : "reinstated",
    reason: event._tag === "VideoTakenDown" ? event.reason : null,
    actor,
    at,
    position,
  }
}

export const moderationLog = projection({
  name: "moderation-log-v1",
  table: moderationEntries,
  keyOf: ({ event, revision }) =>
    event._tag === "VideoTakenDown" || event._tag === "VideoReinstated"
      ? `${event.videoId}:${revision}`
      : null,
  evolve,
})

// Queries

const afterCursor = sql`(${moderationEntries.at}, ${moderationEntries.entryId}) <
  (${sql.placeholder("at")}::bigint, ${sql.placeholder("key")}::text)`
const newestFirst = [desc(moderationEntries.at), desc(moderationEntries.entryId)]

const newest = query<Cursor & { limit: number }>()("moderation_log", (database, name) =>
  database
    .select()
    .from(moderationEntries)
    .where(afterCursor)
    .orderBy(...newestFirst)
    .limit(sql.placeholder("limit"))
    .prepare(name),
)

const newestOfVideo = query<Cursor & { limit: number; videoId: string }>()(
  "moderation_log_of_video",
  (database, name) =>
    database
      .select()
      .from(moderationEntries)
      .where(and(eq(moderationEntries.videoId, sql.placeholder("videoId")), afterCursor))
      .orderBy(...newestFirst)
      .limit(sql.placeholder("limit"))
      .prepare(name),
)

interface Wanted {
  readonly limit: number
  readonly after?: Cursor
  readonly videoId?: string
}

export const listModeration = <Failure>(
  shards: Shards<Failure>,
  { limit, after = fromTheTop, videoId }: Wanted,
): Effect.Effect<Page<ModerationEntry>, Failure> => {
  const asked = { ...after, limit: limit + 1 }
  const rows =
    videoId === undefined
      ? shards.onEveryShard(newest, asked)
      : shards.onEveryShard(newestOfVideo, { ...asked, videoId })
  return Effect.map(rows, (found) =>
    pageOf(found, limit, ({ at, entryId }) => ({ at, key: entryId })),
  )
}
