/** @jsxImportSource preact */
/** The pages that say no: sentences instead of codes, what still works, what to do next. */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import { documentOf } from "../document.tsx"
import { lifeOf } from "../life.ts"
import { Acts } from "../timeline.tsx"
import { mayEdit, type Visit } from "../visit.ts"

const oops = (
  visit: Visit,
  page: {
    readonly code: string
    readonly title: string
    readonly lede: string
    readonly children?: ComponentChildren
  },
) =>
  documentOf(visit, {
    title: page.title,
    mainClass: "page oops",
    children: (
      <>
        <p class="code">{page.code}</p>
        <h1>{page.title}</h1>
        <p class="lede">{page.lede}</p>
        {page.children}
      </>
    ),
  })

const Home = ({ visit }: { readonly visit: Visit }) => (
  <a class="btn go" href={visit.href("/")}>
    {visit.tongue.t("refused.home")}
  </a>
)

export const notFound = (visit: Visit): string =>
  oops(visit, {
    code: "404",
    title: visit.tongue.t("refused.notFound"),
    lede: visit.tongue.t("refused.notFoundWhy"),
    children: (
      <p class="row">
        <Home visit={visit} />
      </p>
    ),
  })

/** The life stays visible while the picture does not: when it was closed, and why. */
export const closed = Effect.fn("closedPage")(function* (visit: Visit, videoId: string) {
  const { t, moment, span } = visit.tongue
  const video = yield* visit.reader.video(videoId, {})
  const life = lifeOf(yield* visit.reader.history(videoId), visit.now)
  const since = life.acts.at(-1)?.from ?? visit.now
  const reason = video?.takedownReason ?? "other"
  return oops(visit, {
    code: "451",
    title: t("refused.closed"),
    lede: t("refused.closedWhy", { moment: moment(since), reason: t(`reason.${reason}`) }),
    children: (
      <>
        <section class="life slim" aria-labelledby="life">
          <div class="life-top">
            <h2 id="life">{t("life.title")}</h2>
            <output>{t("refused.closedFor", { span: span(visit.now - since) })}</output>
          </div>
          <div class="life-scroll">
            <Acts visit={visit} life={life} />
          </div>
        </section>
        <p class="row">
          <Home visit={visit} />
          {video !== null && mayEdit(visit.session, video) ? (
            <a class="btn" href={visit.href(`/studio/${videoId}`)}>
              {t("watch.details")}
            </a>
          ) : null}
        </p>
      </>
    ),
  })
})

export const unavailable = (visit: Visit): string =>
  oops(visit, {
    code: "503",
    title: visit.tongue.t("refused.unavailable"),
    lede: visit.tongue.t("refused.unavailableWhy"),
    children: (
      <p class="row">
        <a
          class="btn go"
          href={`${visit.href(visit.path)}${visit.query.size > 0 ? `?${visit.query}` : ""}`}
        >
          {visit.tongue.t("refused.again")}
        </a>
        <span class="muted num">{visit.tongue.t("refused.againSoon", { seconds: 30 })}</span>
      </p>
    ),
  })

export const broken = (visit: Visit): string =>
  oops(visit, {
    code: "500",
    title: visit.tongue.t("refused.broken"),
    lede: visit.tongue.t("refused.brokenWhy"),
    children: (
      <p class="row">
        <Home visit={visit} />
      </p>
    ),
  })
