/** The pictures of a video as pages show them: keys as addresses of the edge. */
import { posterOf, type Thumbnail, type Thumbnails } from "#projections/thumbnails.ts"
import { imageUrl } from "../api/shown-video.ts"
import type { Still, VideoPage } from "../web/reader.ts"

const stillOf = (edgeUrl: string, { key, width, height, files = [] }: Thumbnail): Still => ({
  ...{ url: imageUrl(edgeUrl, key), width, height },
  files: files.map((file) => ({
    ...{ url: imageUrl(edgeUrl, file.key), width: file.width, format: file.format },
  })),
})

export const shownBy = (edgeUrl: string, thumbnails: Thumbnails): Still | null => {
  const poster = posterOf(thumbnails)
  return poster === undefined ? null : stillOf(edgeUrl, poster)
}

export const stillsOf = (edgeUrl: string, thumbnails: Thumbnails): VideoPage["stills"] => {
  const poster = posterOf(thumbnails)
  return thumbnails.map((picture, i) => ({
    still: stillOf(edgeUrl, picture),
    choice: picture.isOwn ? null : i + 1,
    isShown: picture === poster,
  }))
}
