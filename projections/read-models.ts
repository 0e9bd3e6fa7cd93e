/** All read models, for the processes that follow or rebuild them, and for the read store that keeps them. */
import { channel } from "./channel.ts"
import type { AnyProjection } from "./folding.ts"
import { moderationLog } from "./moderation-log.ts"
import { databaseOf } from "./shards.ts"
import { studioList } from "./studio-list.ts"
import { transcodeProgress } from "./transcode-progress.ts"
import { watchPage } from "./watch-page.ts"

export const projections: ReadonlyArray<AnyProjection> = [
  watchPage,
  studioList,
  transcodeProgress,
  moderationLog,
  channel,
]

/** The streams that tell anything to a reader: clocks and heartbeats stay out. */
export const streamsRead = [
  "video-",
  "upload-",
  "transcode-",
  "takedown-",
  "channel-",
  "account-",
  "inbox-",
]

export const readModels = { migrations: new URL("./migrations/", import.meta.url), databaseOf }
