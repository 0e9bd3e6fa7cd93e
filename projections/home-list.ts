/** The videos everyone may see: published and public, newest first. Rows of `watch-page.ts`. */
import { and, desc, eq, sql } from "drizzle-orm"
import { Effect } from "effect"
import { type Cursor, fromTheTop, type Page, pageOf } from "./pages.ts"
import { query, type Shards } from "./query.ts"
import { type WatchPage, watchPages } from "./watch-page.ts"

const newest = query<Cursor & { limit: number }>()("home_list", (database, name) =>
  database
    .select()
    .from(watchPages)
    .where(
      and(
        eq(watchPages.state, sql.raw("'published'")),
        eq(watchPages.visibility, sql.raw("'public'")),
        sql`(${watchPages.publishedAt}, ${watchPages.videoId}) <
          (${sql.placeholder("at")}::bigint, ${sql.placeholder("key")}::text)`,
      ),
    )
    .orderBy(desc(watchPages.publishedAt), desc(watchPages.videoId))
    .limit(sql.placeholder("limit"))
    .prepare(name),
)

export const listPublicVideos = <Failure>(
  shards: Shards<Failure>,
  { limit, after = fromTheTop }: { readonly limit: number; readonly after?: Cursor },
): Effect.Effect<Page<WatchPage>, Failure> =>
  Effect.map(shards.onEveryShard(newest, { ...after, limit: limit + 1 }), (rows) =>
    pageOf(rows, limit, (row) => ({ at: row.publishedAt ?? 0, key: row.videoId })),
  )
