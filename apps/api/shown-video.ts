/** A video as the API tells of it: the row of the watch page, its sealed texts opened, keys as URLs of the edge. */
import { Effect } from "effect"
import { Sealed } from "#domain/sealed.ts"
import { MPD } from "#domain/transcode/dash.ts"
import { TICKS } from "#domain/transcode/facts.ts"
import { PersonalData } from "#infra/personal-data/port.ts"
import { posterOf } from "#projections/thumbnails.ts"
import type { WatchPage } from "#projections/watch-page.ts"
import { ApiSettings } from "./settings.ts"

const ERASED = "[erased]"

export const openText = Effect.fnUntraced(function* (sealed: string | null) {
  const personal = yield* PersonalData
  return sealed === null ? null : ((yield* personal.open(Sealed.make(sealed))) ?? ERASED)
})

const time = (millis: number | null) => (millis === null ? null : new Date(millis).toISOString())

/** `images/{videoId}/{run}/{name}` is told as the edge serves it. */
export const imageUrl = (edgeUrl: string, key: string) => {
  const [, videoId, , name] = key.split("/")
  return `${edgeUrl}/v/${videoId}/images/${name}`
}

/** The name of the file is its owner's business. */
export const shownVideo = Effect.fn("shownVideo")(function* (page: WatchPage, isOwner: boolean) {
  const { publicUrl, edgeUrl } = yield* ApiSettings
  const { videoId, state, durationTicks } = page
  const poster = posterOf(page.thumbnails)
  return {
    videoId,
    state,
    title: yield* openText(page.title),
    description: yield* openText(page.description),
    visibility: page.visibility,
    channelId: page.channelId,
    watchUrl: `${publicUrl}/watch/${videoId}`,
    hlsUrl: `${edgeUrl}/v/${videoId}/main.m3u8`,
    dashUrl: `${edgeUrl}/v/${videoId}/${MPD}`,
    failureCode: page.failureCode,
    takedownReason: page.takedownReason,
    source: {
      fileName: isOwner ? yield* openText(page.fileName) : null,
      byteLength: page.byteLength,
      container: page.demuxer,
      codec: page.codec,
      width: page.width,
      height: page.height,
      framesPerSecond: page.framesPerSecond,
      durationSeconds: durationTicks === null ? null : durationTicks / TICKS,
      hasAudio: page.hasAudio,
    },
    rungs: page.rungs,
    thumbnails: page.thumbnails.map((picture) => ({
      url: imageUrl(edgeUrl, picture.key),
      width: picture.width,
      height: picture.height,
      atSeconds: picture.isOwn ? null : picture.at / TICKS,
      isShown: picture === poster,
      files: (picture.files ?? []).map(({ key, width, height, format, bytes }) => ({
        ...{ url: imageUrl(edgeUrl, key), width, height, format, byteLength: bytes },
      })),
    })),
    storyboardUrl: page.storyboard && imageUrl(edgeUrl, page.storyboard.vttKey),
    createdAt: time(page.createdAt),
    playableAt: time(page.playableAt),
    publishedAt: time(page.publishedAt),
    revision: page.revision,
    position: page.position,
  }
})
