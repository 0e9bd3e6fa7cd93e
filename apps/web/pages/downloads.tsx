/** @jsxImportSource preact */
/** A published video to keep, one link for each rendition. The file is named by the link: the video server knows no title. */
import type { VideoPage } from "../reader.ts"
import type { Visit } from "../visit.ts"

const NAME_LENGTH = 100

const nameFor = (title: string, rung: string) => {
  const short = Array.from(title.toWellFormed()).slice(0, NAME_LENGTH).join("")
  return `${encodeURIComponent(short === "" ? "video" : short)}_${rung}.mp4`
}

export const Downloads = (props: {
  readonly visit: Visit
  readonly video: VideoPage
  readonly title: string
}) => {
  const { visit, video, title } = props
  const { t, bytes } = visit.tongue
  if (video.hlsUrl === null || video.state !== "published") return null
  const folder = video.hlsUrl.slice(0, video.hlsUrl.lastIndexOf("/"))
  return (
    <details class="keep">
      <summary class="btn">{t("watch.download")}</summary>
      <ul class="card">
        {video.renditions.map(({ name, byteLength }) => (
          <li key={name}>
            <a href={`${folder}/${nameFor(title, name)}`} download>
              {name}
            </a>{" "}
            {byteLength === null ? null : <span class="muted num">{bytes(byteLength)}</span>}
          </li>
        ))}
      </ul>
    </details>
  )
}
