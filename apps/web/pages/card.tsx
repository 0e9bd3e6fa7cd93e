/** @jsxImportSource preact */
/** A video as a card: its picture, its length, what state it is in. */
import { State } from "../icons.tsx"
import type { VideoCard } from "../reader.ts"
import type { Visit } from "../visit.ts"
import { Still } from "./still.tsx"

export const titleIn = (
  visit: Visit,
  texts: ReadonlyMap<string, string>,
  title: string | null,
): string => (title === null ? undefined : texts.get(title)) ?? visit.tongue.t("text.erased")

export const Picture = ({ visit, video }: { readonly visit: Visit; readonly video: VideoCard }) => (
  <div class="pic">
    {video.still === null ? null : (
      <Still still={video.still} sizes="(max-width: 30rem) 100vw, 20rem" />
    )}
    {video.durationSeconds === null ? null : (
      <span class="len num">{visit.tongue.clock(video.durationSeconds)}</span>
    )}
  </div>
)

export const StateOf = ({ visit, video }: { readonly visit: Visit; readonly video: VideoCard }) => {
  const { t } = visit.tongue
  switch (video.state) {
    case "uploading":
    case "processing":
      return <State shape="part">{t(`state.${video.state}`)}</State>
    case "playable":
      return <State shape="live">{t("state.playable")}</State>
    case "published":
      return video.visibility === "public" ? (
        <State shape="open">{t("state.published")}</State>
      ) : (
        <State shape="hollow">{t(`visibility.${video.visibility}`)}</State>
      )
    case "failed":
    case "taken-down":
      return <State shape="shut">{t(`state.${video.state}`)}</State>
  }
}

export const Card = (props: {
  readonly visit: Visit
  readonly video: VideoCard
  readonly texts: ReadonlyMap<string, string>
  /** Picture beside the words. */
  readonly isSide?: boolean
}) => {
  const { visit, video, texts, isSide } = props
  const { t, day } = visit.tongue
  const channel = video.channelName === null ? undefined : texts.get(video.channelName)
  return (
    <article class={isSide ? "vid side" : "vid"}>
      <Picture visit={visit} video={video} />
      <div>
        <h3>
          <a href={visit.href(`/watch/${video.videoId}`)}>
            <bdi>{titleIn(visit, texts, video.title)}</bdi>
          </a>
        </h3>
        <p>
          <bdi>{channel ?? video.channelId}</bdi>
        </p>
        <p class="num">
          {video.state === "published" ? (
            t("card.published", { day: day(video.publishedAt ?? video.createdAt) })
          ) : (
            <StateOf visit={visit} video={video} />
          )}
        </p>
      </div>
    </article>
  )
}

/** The next page of a list, when there is one. */
export const Older = ({ visit, next }: { readonly visit: Visit; readonly next: string | null }) =>
  next === null ? null : (
    <p class="small muted">
      <a href={`?from=${encodeURIComponent(next)}`}>{visit.tongue.t("list.older")}</a>
    </p>
  )

export const asked = ({ query }: Visit): { readonly cursor?: string; readonly after?: string } => {
  const cursor = query.get("from")
  const after = query.get("after")
  const isPosition = after !== null && /^\d{1,20}$/.test(after)
  return { ...(cursor === null ? {} : { cursor }), ...(isPosition ? { after } : {}) }
}
