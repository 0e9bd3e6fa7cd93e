/** @jsxImportSource preact */
/** Moderation: take a video down with a reason, put it back, and what was done before. */
import { Effect } from "effect"
import { TakedownReason } from "#domain/video/events.ts"
import { documentOf, StudioTabs } from "../document.tsx"
import { State } from "../icons.tsx"
import type { ModerationRow } from "../reader.ts"
import { SignInFirst } from "../refusals.ts"
import { position } from "../tongue.ts"
import { opened, type Visit } from "../visit.ts"
import { asked, Older, titleIn } from "./card.tsx"
import { Outcome } from "./studio-video.tsx"

const Order = ({ visit }: { readonly visit: Visit }) => {
  const { t } = visit.tongue
  const chosen = visit.query.get("video") ?? ""
  return (
    <form
      class="card stack"
      aria-labelledby="order"
      data-api="POST"
      data-to="/v1/videos/{video}/takedown"
    >
      <h2 id="order">{t("takedown.title")}</h2>
      <p class="muted">{t("takedown.how")}</p>
      <label class="field">
        <span>{t("takedown.video")}</span>
        <input class="in mono" name="video" required value={chosen} data-video-id />
        <small class="hint">{t("takedown.videoHow")}</small>
      </label>
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
      <label class="field">
        <span>{t("takedown.note")}</span>
        <textarea class="in" name="note" maxLength={2000} dir="auto" />
      </label>
      <button type="submit" class="btn stop wide">
        {t("takedown.order")}
      </button>
      <Outcome />
      <p class="small muted">{t("takedown.recorded")}</p>
    </form>
  )
}

const Row = (props: {
  readonly visit: Visit
  readonly row: ModerationRow
  readonly texts: ReadonlyMap<string, string>
}) => {
  const { visit, row, texts } = props
  const { t, moment } = visit.tongue
  const isDown = row.action === "taken-down"
  return (
    <tr>
      <th scope="row">
        <a href={visit.href(`/studio/${row.videoId}`)}>
          <bdi>{titleIn(visit, texts, row.title)}</bdi>
        </a>
      </th>
      <td>
        <State shape={isDown ? "shut" : "open"}>{t(`moderation.${row.action}`)}</State>
        {row.reason === null ? null : <div class="small muted">{t(`reason.${row.reason}`)}</div>}
      </td>
      <td>
        <bdi>{row.actor}</bdi>
      </td>
      <td class="num muted">
        {moment(row.at)}
        <div class="small muted">
          <bdi class="mono">{position(row.position)}</bdi>
        </div>
      </td>
      <td class="n">
        {row.isInForce ? (
          <form data-api="DELETE" data-to={`/v1/videos/${row.videoId}/takedown`}>
            <button type="submit" class="btn">
              {t("takedown.reinstate")}
            </button>
            <Outcome />
          </form>
        ) : null}
      </td>
    </tr>
  )
}

export const moderation = Effect.fn("moderationPage")(function* (visit: Visit) {
  const { t } = visit.tongue
  if (visit.session === null) return yield* new SignInFirst()
  const { rows, next } = yield* visit.reader.moderation(asked(visit))
  const texts = yield* opened(
    visit.reader,
    rows.map(({ title }) => title),
  )
  return documentOf(visit, {
    title: t("moderation.title"),
    sheets: ["studio.css"],
    scripts: ["forms"],
    words: ["error.", "form."],
    children: (
      <>
        <StudioTabs visit={visit} />
        <h1>{t("moderation.title")}</h1>
        <div class="two">
          <div class="stack">
            {rows.length === 0 ? (
              <p class="muted">{t("moderation.empty")}</p>
            ) : (
              // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the keyboard
              <section class="scroll" tabIndex={0} aria-label={t("moderation.log")}>
                <table class="tab shrink">
                  <caption>{t("moderation.log")}</caption>
                  <thead>
                    <tr>
                      <th scope="col">{t("studio.video")}</th>
                      <th scope="col">{t("moderation.what")}</th>
                      <th scope="col">{t("panel.by")}</th>
                      <th scope="col">{t("moderation.when")}</th>
                      <th scope="col">
                        <span class="hide">{t("moderation.act")}</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row) => (
                      <Row key={row.position} visit={visit} row={row} texts={texts} />
                    ))}
                  </tbody>
                </table>
              </section>
            )}
            <Older visit={visit} next={next} />
          </div>
          <Order visit={visit} />
        </div>
      </>
    ),
  })
})
