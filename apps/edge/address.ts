/**
 * What a URL of the video server asks for. Only these forms exist, letter for letter: whatever is
 * escaped, doubled or climbs out of its folder is none of them, so no path reaches an object key.
 */
import { VideoId } from "#domain/ids.ts"
import { MPD } from "#domain/transcode/dash.ts"
import { CHAPTERS } from "#domain/transcode/playlist.ts"

export type Asked =
  | { readonly _tag: "Multivariant" }
  | { readonly _tag: "Dash" }
  | { readonly _tag: "Chapters" }
  | { readonly _tag: "List"; readonly rung: string }
  | { readonly _tag: "Init"; readonly rung: string }
  | { readonly _tag: "Segment"; readonly rung: string; readonly k: number }
  | { readonly _tag: "Text"; readonly track: string }
  | { readonly _tag: "Image"; readonly name: string }
  /** To keep: what stands before the rung is what the file is called. */
  | { readonly _tag: "Download"; readonly title: string; readonly rung: string }
  /** Below a video, but nothing we know: absent, or closed like the rest of the video. */
  | { readonly _tag: "Nothing" }

export interface Address {
  readonly videoId: VideoId
  readonly asked: Asked
}

const ofVideo = /^\/v\/([a-z][a-z0-9]{2}[0-9a-hjkmnp-tv-z]{16})\/(.*)$/s
const list = /^([a-z0-9][a-z0-9-]{0,31})\.m3u8$/
const init = /^([a-z0-9][a-z0-9-]{0,31})\/init\.mp4$/
const segment = /^([a-z0-9][a-z0-9-]{0,31})\/(0|[1-9][0-9]{0,5})\.m4s$/
const text = /^(text-(?:0|[1-9][0-9]{0,2}))\/0\.vtt$/
const image = /^images\/([a-z0-9][a-z0-9_-]{0,62}\.(?:jpg|png|webp|vtt))$/

const download = /^([^/]{1,1500})_([0-9]{1,4}p[a-z0-9-]{0,24})\.mp4$/

/** Not of UTF-8: no title. */
const unescaped = (text: string): string | null => {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

const askedBy = (rest: string): Asked => {
  if (rest === "main.m3u8") return { _tag: "Multivariant" }
  if (rest === MPD) return { _tag: "Dash" }
  if (rest === CHAPTERS) return { _tag: "Chapters" }
  const ofSegment = segment.exec(rest)
  if (ofSegment?.[1] && ofSegment[2]) {
    return { _tag: "Segment", rung: ofSegment[1], k: Number(ofSegment[2]) }
  }
  const ofList = list.exec(rest)
  if (ofList?.[1]) return { _tag: "List", rung: ofList[1] }
  const ofInit = init.exec(rest)
  if (ofInit?.[1]) return { _tag: "Init", rung: ofInit[1] }
  const ofText = text.exec(rest)
  if (ofText?.[1]) return { _tag: "Text", track: ofText[1] }
  const ofImage = image.exec(rest)
  if (ofImage?.[1]) return { _tag: "Image", name: ofImage[1] }
  const [, name = "", rung = ""] = download.exec(rest) ?? []
  const title = rung === "" ? null : unescaped(name)
  return title === null ? { _tag: "Nothing" } : { _tag: "Download", title, rung }
}

/** The path of an absolute URL as it was sent, without its query. */
export const pathOf = (url: string): string => {
  const start = url.indexOf("/", url.indexOf("://") + 3)
  if (start < 0) return "/"
  const end = url.slice(start).search(/[?#]/)
  return end < 0 ? url.slice(start) : url.slice(start, start + end)
}

export const addressOf = (path: string): Address | null => {
  const [, videoId, rest] = ofVideo.exec(path) ?? []
  if (videoId === undefined || rest === undefined) return null
  return { videoId: VideoId.make(videoId), asked: askedBy(rest) }
}
