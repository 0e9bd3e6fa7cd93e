/** @jsxImportSource preact */
/**
 * The watch page, now or as it was `?at=` a position: title, renditions, player and state are those
 * of that moment, the timeline under the player is the way there and back.
 */
import { Effect } from "effect"
import { documentOf } from "../document.tsx"
import { Icon } from "../icons.tsx"
import { lifeOf, momentAt, withoutPrivateTitles } from "../life.ts"
import type { VideoPage } from "../reader.ts"
import { PageNotFound, VideoIsClosed } from "../refusals.ts"
import { Timeline } from "../timeline.tsx"
import { mayEdit, opened, type Visit } from "../visit.ts"
import { asked, Card, StateOf, titleIn } from "./card.tsx"
import { Downloads } from "./downloads.tsx"
import { Player } from "./player.tsx"

export const momentAsked = ({ query }: Visit): string | undefined => {
  const at = query.get("at")
  return at !== null && /^\d{1,20}$/.test(at) ? at : undefined
}

export const Rewound = ({ visit, at }: { readonly visit: Visit; readonly at: number }) => (
  <div class="rewound" role="status">
    <div class="top-in">
      <Icon name="past" />
      <span>{visit.tongue.t("past.shown", { moment: visit.tongue.moment(at) })}</span>
      <a href={visit.href(visit.path)}>{visit.tongue.t("past.return")}</a>
    </div>
  </div>
)

const About = (props: {
  readonly visit: Visit
  readonly video: VideoPage
  readonly texts: ReadonlyMap<string, string>
  readonly isPast: boolean
}) => {
  const { visit, video, texts, isPast } = props
  const { t, day } = visit.tongue
  const channel = video.channelName === null ? undefined : texts.get(video.channelName)
  const description = video.description === null ? undefined : texts.get(video.description)
  return (
    <section class="stack" aria-labelledby="title">
      <h1 id="title">
        <bdi>{titleIn(visit, texts, video.title)}</bdi>
      </h1>
      <div class="row far">
        <p>
          <b>
            <bdi>{channel ?? video.channelId}</bdi>
          </b>{" "}
          <span class="muted">
            {video.publishedAt === null
              ? t("watch.created", { day: day(video.createdAt) })
              : t("card.published", { day: day(video.publishedAt) })}
          </span>
        </p>
        <div class="row">
          <StateOf visit={visit} video={video} />
          {isPast ? null : (
            <Downloads visit={visit} video={video} title={titleIn(visit, texts, video.title)} />
          )}
          {mayEdit(visit.session, video) && !isPast ? (
            <a class="btn" href={visit.href(`/studio/${video.videoId}`)}>
              {t("watch.details")}
            </a>
          ) : null}
        </div>
      </div>
      {description === undefined ? null : (
        <div class="card words">
          {description.split(/\n{2,}/).map((paragraph) => (
            <p key={paragraph}>
              <bdi>{paragraph}</bdi>
            </p>
          ))}
        </div>
      )}
      {isPast ? <p class="note">{t("past.off")}</p> : null}
    </section>
  )
}

export const watch = Effect.fn("watchPage")(function* (visit: Visit, videoId: string) {
  const { t } = visit.tongue
  const { reader, session } = visit
  const current = yield* reader.video(videoId, asked(visit))
  if (current === null) return yield* new PageNotFound()
  const isMine = mayEdit(session, current)
  if (current.visibility === "private" && !isMine) return yield* new PageNotFound()
  if (current.state === "taken-down") return yield* new VideoIsClosed({ videoId })

  const at = momentAsked(visit)
  const video = at === undefined ? current : yield* reader.video(videoId, { at })
  if (video === null) return yield* new PageNotFound()
  // Opened today, it still was nobody's business then.
  if (video.visibility === "private" && !isMine) return yield* new PageNotFound()
  const whole = lifeOf(yield* reader.history(videoId), visit.now)
  const life = isMine ? whole : withoutPrivateTitles(whole)
  const others = (yield* reader.home({})).rows.filter((row) => row.videoId !== videoId).slice(0, 7)
  const texts = yield* opened(reader, [
    ...[video, ...others].flatMap(({ title, channelName }) => [title, channelName]),
    video.description,
    ...life.moments.map(({ facts }) => facts.title),
  ])

  const index = momentAt(life, at)
  const title = titleIn(visit, texts, video.title)
  const isGrowing = current.state !== "published" && current.state !== "failed"
  const here = life.moments[index]
  return documentOf(visit, {
    title,
    scripts: ["timeline", ...(video.hlsUrl !== null || isGrowing ? ["player"] : [])],
    words: ["life.", "then.", "player."],
    isPast: at !== undefined,
    above: at === undefined ? null : <Rewound visit={visit} at={here?.recordedAt ?? 0} />,
    children: (
      <div
        class={others.length === 0 ? "one" : "two"}
        data-video={videoId}
        data-live={at === undefined && isGrowing ? "" : undefined}
      >
        <div class="stack-l2">
          <div>
            <Player visit={visit} video={video} title={title} />
            <Timeline
              visit={visit}
              life={life}
              texts={texts}
              at={at}
              position={current.position}
              current={index}
              isSlim={at === undefined && !isGrowing}
            />
          </div>
          <About visit={visit} video={video} texts={texts} isPast={at !== undefined} />
        </div>
        {others.length === 0 ? null : (
          <aside class="stack" aria-labelledby="others">
            <h2 id="others">{t("watch.others")}</h2>
            {others.map((other) => (
              <Card key={other.videoId} visit={visit} video={other} texts={texts} isSide />
            ))}
          </aside>
        )}
      </div>
    ),
  })
})
