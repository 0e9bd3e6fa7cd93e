/** Where objects lie. Keys are deterministic: the same task writes the same key, and the first object stays. */

/** A part of the source, numbered from 1. */
export const sourcePart = (videoId: string, number: number) =>
  `sources/${videoId}/${String(number).padStart(5, "0")}`
export const sourcePrefix = (videoId: string) => `sources/${videoId}/`

/** Everything that may be deleted once the transcode has ended. */
export const tempPrefix = (videoId: string) => `temp/${videoId}/`
export const temp = (videoId: string, run: number, name: string) => `temp/${videoId}/${run}/${name}`

/** All media of a run; a rung's name (`720p`, `audio`) is a folder. */
export const runPrefix = (videoId: string, run: number) => `segments/${videoId}/${run}/`
export const segment = (videoId: string, run: number, rung: string, k: number) =>
  `segments/${videoId}/${run}/${rung}/${k}.m4s`
export const initSegment = (videoId: string, run: number, rung: string) =>
  `segments/${videoId}/${run}/${rung}/init.mp4`
/** A track of text is one WebVTT file. */
export const textTrack = (videoId: string, run: number, name: string) =>
  `segments/${videoId}/${run}/${name}/0.vtt`

/** Final playlists: `main.m3u8`, `{rung}.m3u8`. */
export const manifest = (videoId: string, run: number, name: string) =>
  `manifests/${videoId}/${run}/${name}`

/** Thumbnails, storyboard sprites and their WebVTT. */
export const image = (videoId: string, run: number, name: string) =>
  `images/${videoId}/${run}/${name}`

/** An image that the owner uploaded, as it came, and the copies of it that are shown: no run makes or removes them. */
export const ownImageSource = (videoId: string, name: string) => `own-images/${videoId}/${name}`
export const ownImage = (videoId: string, name: string) => `images/${videoId}/own/${name}`

/** What a watermark is made of, as it came, and the picture that videos are made with. */
export const watermarkSource = (channelId: string, mark: string) =>
  `watermark-sources/${channelId}/${mark}`
export const watermark = (channelId: string, mark: string) => `watermarks/${channelId}/${mark}.png`

/** What a channel's tasks have made, by a name of all that decides it. */
export const reused = (channelId: string, name: string) => `reuse/${channelId}/${name}.json`

/** The wrapped key of an account's personal data. */
export const accountKey = (accountId: string) => `keys/${accountId}`

/** A transcode is one run of a video's pipeline: `{videoId}.{run}`; runs begin with 1. */
export const transcodeId = (videoId: string, run: number) => `${videoId}.${run}`
export const runOf = (transcode: string) => Number(transcode.slice(transcode.lastIndexOf(".") + 1))
export const videoOf = (transcode: string) => transcode.slice(0, transcode.lastIndexOf("."))
