/** @jsxImportSource preact */
/** One video in the studio: its life, its details to edit, its renditions, taking it down. */
import { Effect } from "effect"
import type { Loudness } from "#domain/transcode/facts.ts"
import { TakedownReason, Visibility } from "#domain/video/events.ts"
import { documentOf, StudioTabs } from "../document.tsx"
import { type Findings, findingsOf } from "../findings.ts"
import { Icon } from "../icons.tsx"
import { type Life, lifeOf, momentAt } from "../life.ts"
import type { VideoPage } from "../reader.ts"
import { PageNotFound, SignInFirst } from "../refusals.ts"
import { Timeline } from "../timeline.tsx"
import { mayEdit, opened, type Visit } from "../visit.ts"
import { asked, StateOf, titleIn } from "./card.tsx"
import { errorText } from "./errors.ts"
import { ThumbnailForm } from "./thumbnail-form.tsx"
import { momentAsked, Rewound } from "./watch.tsx"

interface Shown {
  readonly visit: Visit
  readonly video: VideoPage
  readonly texts: ReadonlyMap<string, string>
  readonly isPast: boolean
}

/** Where a form says how it went. */
export const Outcome = () => <p class="small" role="status" data-outcome />

const Details = ({ visit, video, texts, isPast }: Shown) => {
  const { t } = visit.tongue
  const description = video.description === null ? "" : (texts.get(video.description) ?? "")
  return (
    <form
      class="card stack"
      aria-labelledby="details"
      data-api="PATCH"
      data-to={`/v1/videos/${video.videoId}`}
      data-revision={String(video.revision)}
    >
      <h2 id="details">{t("studio.details")}</h2>
      <fieldset class="stack" disabled={isPast}>
        <label class="field">
          <span>{t("panel.title")}</span>
          <input
            class="in"
            name="title"
            required
            maxLength={200}
            dir="auto"
            value={titleIn(visit, texts, video.title)}
          />
        </label>
        <label class="field">
          <span>{t("studio.description")}</span>
          <textarea class="in" name="description" maxLength={10_000} dir="auto">
            {description}
          </textarea>
        </label>
        <label class="field">
          <span>{t("studio.who")}</span>
          <select class="in" name="visibility">
            {Visibility.literals.map((visibility) => (
              <option
                key={visibility}
                value={visibility}
                selected={visibility === video.visibility}
              >
                {t(`visibility.${visibility}`)}
              </option>
            ))}
          </select>
        </label>
        <div class="row">
          <button type="submit" class="btn go">
            {t("studio.save")}
          </button>
          <span class="small muted">{t("studio.revision", { revision: video.revision })}</span>
        </div>
      </fieldset>
      <Outcome />
    </form>
  )
}

const Renditions = ({ visit, video, life, index }: Shown & { life: Life; index: number }) => {
  const { t, bitRate, bytes, clock } = visit.tongue
  const facts = life.moments[index]?.facts
  if (video.renditions.length === 0) return null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the keyboard
    <section class="scroll" tabIndex={0} aria-label={t("studio.renditions")}>
      <table class="tab">
        <caption>{t("studio.renditions")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("studio.rung")}</th>
            <th scope="col">{t("studio.picture")}</th>
            <th scope="col">{t("studio.codec")}</th>
            <th scope="col" class="n">
              {t("studio.bitRate")}
            </th>
            <th scope="col" class="n">
              {t("studio.size")}
            </th>
            <th scope="col" class="n">
              {t("studio.ready")}
            </th>
          </tr>
        </thead>
        <tbody>
          {video.renditions.map((row) => (
            <tr key={row.name}>
              <th scope="row" class="mono">
                {row.name}
              </th>
              <td class="num">{`${row.width} × ${row.height}`}</td>
              <td class="mono">{row.codecs}</td>
              <td class="n">{bitRate(row.bitsPerSecond)}</td>
              <td class="n">{row.byteLength === null ? "–" : bytes(row.byteLength)}</td>
              <td class="n">{clock(facts?.ready[row.name] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const Takedown = ({ visit, video, isPast }: Shown) => {
  const { t } = visit.tongue
  const to = `/v1/videos/${video.videoId}/takedown`
  if (video.takedownReason !== null) {
    return (
      <form class="card stack" aria-labelledby="takedown" data-api="DELETE" data-to={to}>
        <h2 id="takedown">{t("takedown.title")}</h2>
        <p class="note stop">
          {t("takedown.inForce", { reason: t(`reason.${video.takedownReason}`) })}
        </p>
        <button type="submit" class="btn wide" disabled={isPast}>
          {t("takedown.reinstate")}
        </button>
        <Outcome />
      </form>
    )
  }
  return (
    <form class="card stack" aria-labelledby="takedown" data-api="POST" data-to={to}>
      <h2 id="takedown">{t("takedown.title")}</h2>
      <p class="muted">{t("takedown.how")}</p>
      <fieldset class="stack" disabled={isPast}>
        <label class="field">
          <span>{t("takedown.reason")}</span>
          <select class="in" name="reason" required>
            {TakedownReason.literals.map((reason) => (
              <option key={reason} value={reason}>
                {t(`reason.${reason}`)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="btn stop wide">
          {t("takedown.order")}
        </button>
      </fieldset>
      <Outcome />
    </form>
  )
}

const loudnessText = ({ tongue }: Visit, loudness: Loudness): string => {
  const { integratedLufs, truePeakDbtp, isSilent, isClipped } = loudness
  if (isSilent) return tongue.t("studio.loudnessSilent")
  const said = (decibels: number) => tongue.number(Math.round(decibels * 10) / 10)
  const figures = { level: said(integratedLufs), peak: said(truePeakDbtp) }
  return tongue.t(isClipped ? "studio.loudnessClipped" : "studio.loudnessOf", figures)
}

const Facts = ({ visit, video, texts, findings }: Shown & { findings: Findings }) => {
  const { t, bytes, number } = visit.tongue
  const { source, fileName } = video
  const { loudness } = findings
  return (
    <section class="card stack" aria-labelledby="facts">
      <h2 id="facts">{t("studio.facts")}</h2>
      <dl class="facts">
        <dt>{t("studio.id")}</dt>
        <dd class="mono">{video.videoId}</dd>
        {fileName === null ? null : (
          <>
            <dt>{t("studio.file")}</dt>
            <dd>
              <bdi>{texts.get(fileName) ?? t("text.erased")}</bdi>
            </dd>
          </>
        )}
        <dt>{t("studio.size")}</dt>
        <dd class="num">{video.byteLength === null ? "–" : bytes(video.byteLength)}</dd>
        {source === null ? null : (
          <>
            <dt>{t("studio.source")}</dt>
            <dd>
              {`${source.width} × ${source.height}, ${number(source.framesPerSecond)} fps, ${source.codec}`}
            </dd>
            <dt>{t("studio.sound")}</dt>
            <dd>{t(source.hasAudio ? "studio.withAudio" : "studio.silent")}</dd>
          </>
        )}
        {loudness === null ? null : (
          <>
            <dt>{t("studio.loudness")}</dt>
            <dd class="num">{loudnessText(visit, loudness)}</dd>
          </>
        )}
      </dl>
    </section>
  )
}

export const studioVideo = Effect.fn("studioVideoPage")(function* (visit: Visit, videoId: string) {
  const { t } = visit.tongue
  const { reader, session } = visit
  if (session === null) return yield* new SignInFirst()
  const current = yield* reader.video(videoId, asked(visit))
  if (current === null || !mayEdit(session, current)) return yield* new PageNotFound()
  const at = momentAsked(visit)
  const video = at === undefined ? current : yield* reader.video(videoId, { at })
  if (video === null) return yield* new PageNotFound()
  const life = lifeOf(yield* reader.history(videoId), visit.now)
  const { title, description, fileName } = video
  const told = life.moments.map(({ facts }) => facts.title)
  const texts = yield* opened(reader, [title, description, fileName, ...told])
  const index = momentAt(life, at)
  const isPast = at !== undefined
  const findings = findingsOf(life.moments.slice(0, index + 1))
  const shown = { visit, video, texts, isPast }
  const named = titleIn(visit, texts, title)
  return documentOf(visit, {
    title: named,
    sheets: ["studio.css"],
    scripts: ["timeline", "forms", "thumbnail"],
    words: ["life.", "then.", "error.", "form."],
    isPast,
    above: isPast ? <Rewound visit={visit} at={life.moments[index]?.recordedAt ?? 0} /> : null,
    children: (
      <>
        <StudioTabs visit={visit} />
        <div class="row far">
          <div>
            <p class="small muted">
              <a href={visit.href("/studio")}>{t("studio.title")}</a>
            </p>
            <h1>
              <bdi>{named}</bdi>
            </h1>
          </div>
          <div class="row">
            <StateOf visit={visit} video={video} />
            <a class="btn" href={visit.href(`/watch/${videoId}`)}>
              <Icon name="play" />
              {t("studio.watch")}
            </a>
          </div>
        </div>
        {video.failureCode === null ? null : (
          <p class="note stop">{errorText(visit.tongue, video.failureCode)}</p>
        )}
        {findings.isDamaged ? <p class="note">{t("studio.damaged")}</p> : null}
        <Timeline
          visit={visit}
          life={life}
          texts={texts}
          at={at}
          position={current.position}
          current={index}
        />
        <div class="two">
          <div class="stack-l2">
            <Details {...shown} />
            <ThumbnailForm visit={visit} video={video} isPast={isPast} />
            <Renditions {...shown} life={life} index={index} />
          </div>
          <aside class="stack" aria-label={t("studio.more")}>
            <Takedown {...shown} />
            <Facts {...shown} findings={findings} />
          </aside>
        </div>
      </>
    ),
  })
})
