/** Reading one video and lists of them: from the cache, else from the shard; or as it was at a moment, from the log. */
import { Effect, Schema } from "effect"
import type { VideoId } from "#domain/ids.ts"
import { VideoNotFound } from "#domain/video/video.ts"
import { Cache } from "#infra/cache/port.ts"
import type { Recorded } from "#infra/event-store/port.ts"
import { ReadStore } from "#infra/read-store/port.ts"
import { listPublicVideos } from "#projections/home-list.ts"
import { fromTheTop, readCursor } from "#projections/pages.ts"
import { findWatchPage, type WatchPage, watchPage } from "#projections/watch-page.ts"
import { BadQuery, type Moment } from "./asker.ts"
import { lifeOf, rowAfter, until } from "./life.ts"
import type { Answer } from "./respond.ts"
import { shownVideo } from "./shown-video.ts"
import { refusalOf } from "./strangers.ts"

const CACHE_SECONDS = 300
const LONGEST_PAGE = 100

/** The key that the projector's commit invalidates. */
export const rowKey = (model: string, key: string) => `${model}/${key}`

/** The row as it is now; with `after` as it is at that position or later. */
export const pageNow = Effect.fn("pageNow")(function* (videoId: VideoId, after?: string) {
  const cache = yield* Cache
  const store = yield* ReadStore
  const key = rowKey(watchPage.name, videoId)
  if (after !== undefined) {
    yield* store.waitFor(watchPage.name, after)
    yield* cache.remove([key])
  }
  const load = findWatchPage(store, videoId).pipe(
    Effect.map((page) => (page === undefined ? "" : JSON.stringify(page))),
  )
  const text = yield* cache.through(key, CACHE_SECONDS, load)
  return text === "" ? undefined : (JSON.parse(text) as WatchPage)
})

/** The row as it was. */
export const pageAt = Effect.fn("pageAt")(function* (videoId: VideoId, moment: Moment) {
  const life = until(yield* lifeOf(videoId), moment)
  return rowAfter<WatchPage>(watchPage, life) ?? undefined
})

interface Wanted {
  readonly videoId: VideoId
  readonly after: string | undefined
  readonly moment: Moment | undefined
  readonly isOwner: boolean
}

/** As it was asked for, and as it is now, which decides who may see it. */
const pagesOf = Effect.fnUntraced(function* ({ videoId, after, moment }: Wanted) {
  if (moment === undefined) {
    const page = yield* pageNow(videoId, after)
    return { now: page, page }
  }
  const life = yield* lifeOf(videoId)
  const rowOf = (some: ReadonlyArray<Recorded>) => rowAfter<WatchPage>(watchPage, some) ?? undefined
  return { now: rowOf(life), page: rowOf(until(life, moment)) }
})

export const showVideo = Effect.fn("showVideo")(function* (wanted: Wanted) {
  const { videoId, isOwner } = wanted
  const { now, page } = yield* pagesOf(wanted)
  if (page === undefined) return yield* new VideoNotFound({ videoId })
  const refusal = isOwner ? undefined : refusalOf(videoId, now, page)
  if (refusal !== undefined) return yield* refusal
  return { revision: page.revision, body: yield* shownVideo(page, isOwner) } satisfies Answer
})

const cursorOf = (text: string | null) => {
  const cursor = text === null ? fromTheTop : readCursor(text)
  return cursor === null
    ? Effect.fail(new BadQuery({ issues: "cursor= is not one of ours" }))
    : Effect.succeed(cursor)
}

export const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: LONGEST_PAGE }))

/** Published public videos, newest first. */
export const listVideos = Effect.fn("listVideos")(function* (
  cursorText: string | null,
  limit: number,
  after: string | undefined,
) {
  const store = yield* ReadStore
  const cursor = yield* cursorOf(cursorText)
  if (after !== undefined) yield* store.waitFor(watchPage.name, after)
  const { rows, next } = yield* listPublicVideos(store, { limit, after: cursor })
  return {
    body: { videos: yield* Effect.forEach(rows, (row) => shownVideo(row, false)), next },
  } satisfies Answer
})
