/** Channels. The name is sealed with its owner's key. */
import { eq, sql } from "drizzle-orm"
import { bigint, pgTable, text } from "drizzle-orm/pg-core"
import { Effect } from "effect"
import { type Fact, projection } from "./projection.ts"
import { query, type Shards } from "./query.ts"

export const channels = pgTable("channels", {
  channelId: text().primaryKey(),
  accountId: text().notNull(),
  name: text().notNull(),
  openedAt: bigint({ mode: "number" }).notNull(),
  position: text().notNull(),
})
export type ChannelRow = typeof channels.$inferSelect

const evolve = (row: ChannelRow | null, { event, position }: Fact): ChannelRow | null => {
  if (event._tag !== "ChannelOpened") return row
  const { channelId, accountId, name, at } = event
  return { channelId, accountId, name, openedAt: at, position }
}

export const channel = projection({
  name: "channel-v1",
  table: channels,
  keyOf: ({ event }) => (event._tag === "ChannelOpened" ? event.channelId : null),
  evolve,
})

// Queries

const byId = query<{ channelId: string }>()("channel_by_id", (database, name) =>
  database
    .select()
    .from(channels)
    .where(eq(channels.channelId, sql.placeholder("channelId")))
    .prepare(name),
)

export const findChannel = <Failure>(
  shards: Shards<Failure>,
  channelId: string,
): Effect.Effect<ChannelRow | undefined, Failure> =>
  Effect.map(shards.onShardOf(channelId, byId, { channelId }), ([row]) => row)
