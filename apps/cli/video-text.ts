/** A video in lines for a person. */
import type { Video } from "./api.ts"
import { table } from "./screen.ts"

export const videoText = ({ videoId, state, title, watchUrl, hlsUrl, dashUrl, ...more }: Video) => {
  const optional = ["failureCode", "takedownReason", "createdAt", "publishedAt"].flatMap((name) => {
    const value = more[name]
    return typeof value === "string" ? [[name, value]] : []
  })
  return table([
    ["video", videoId],
    ["title", title ?? ""],
    ["state", state],
    ["watch", watchUrl],
    ["hls", hlsUrl],
    ...(dashUrl === undefined ? [] : [["dash", dashUrl]]),
    ...optional,
  ])
}
