/** @jsxImportSource preact */
/** Home: what everyone may watch, newest first; the newest one large. */
import { Effect } from "effect"
import { documentOf } from "../document.tsx"
import { Icon } from "../icons.tsx"
import type { VideoCard } from "../reader.ts"
import { opened, type Visit } from "../visit.ts"
import { asked, Card, Older, Picture, titleIn } from "./card.tsx"

const Lead = (props: {
  readonly visit: Visit
  readonly video: VideoCard
  readonly texts: ReadonlyMap<string, string>
}) => {
  const { visit, video, texts } = props
  const { t, day } = visit.tongue
  const href = visit.href(`/watch/${video.videoId}`)
  const channel = video.channelName === null ? undefined : texts.get(video.channelName)
  return (
    <section class="lead" aria-labelledby="lead">
      <div class="vid">
        <Picture visit={visit} video={video} />
      </div>
      <div class="stack">
        <h1 id="lead">
          <a href={href}>
            <bdi>{titleIn(visit, texts, video.title)}</bdi>
          </a>
        </h1>
        <p class="muted">
          <bdi>{channel ?? video.channelId}</bdi>
          {" · "}
          {t("card.published", { day: day(video.publishedAt ?? video.createdAt) })}
        </p>
        <p class="row">
          <a class="btn go" href={href}>
            <Icon name="play" />
            {t("home.watch")}
          </a>
        </p>
      </div>
    </section>
  )
}

export const home = Effect.fn("homePage")(function* (visit: Visit) {
  const { t } = visit.tongue
  const { rows, next } = yield* visit.reader.home(asked(visit))
  const texts = yield* opened(
    visit.reader,
    rows.flatMap(({ title, channelName }) => [title, channelName]),
  )
  const isFirst = !visit.query.has("from")
  const [newest, ...others] = isFirst ? rows : [undefined, ...rows]
  return documentOf(visit, {
    title: t("home.title"),
    children: (
      <>
        {newest === undefined ? null : <Lead visit={visit} video={newest} texts={texts} />}
        {rows.length === 0 ? (
          <section class="oops stack-l2">
            <h1>{t("home.empty")}</h1>
            <p class="lede">{t("home.emptyHow")}</p>
            <p class="row">
              <a class="btn go" href={visit.href("/upload")}>
                <Icon name="upload" />
                {t("nav.upload")}
              </a>
            </p>
          </section>
        ) : (
          <h2 class={isFirst ? "hide" : undefined}>{t("home.newest")}</h2>
        )}
        <div class="grid">
          {others.map((video) =>
            video === undefined ? null : (
              <Card key={video.videoId} visit={visit} video={video} texts={texts} />
            ),
          )}
        </div>
        <Older visit={visit} next={next} />
      </>
    ),
  })
})
