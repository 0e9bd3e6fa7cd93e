/** @jsxImportSource preact */
/** The videos of the channel, whatever state they are in, newest first. */
import { Effect } from "effect"
import { documentOf, StudioTabs } from "../document.tsx"
import { Icon } from "../icons.tsx"
import { SignInFirst } from "../refusals.ts"
import { opened, type Visit } from "../visit.ts"
import { asked, Older, StateOf, titleIn } from "./card.tsx"
import { errorText } from "./errors.ts"
import { Still } from "./still.tsx"

export const studio = Effect.fn("studioPage")(function* (visit: Visit) {
  const { t, day, clock, bytes } = visit.tongue
  if (visit.session === null) return yield* new SignInFirst()
  const { rows, next } = yield* visit.reader.studio(visit.session.channelId, asked(visit))
  const texts = yield* opened(
    visit.reader,
    rows.map(({ title }) => title),
  )
  const isMoving = rows.some(({ state }) => ["uploading", "processing", "playable"].includes(state))
  return documentOf(visit, {
    title: t("studio.title"),
    sheets: ["studio.css"],
    scripts: isMoving ? ["live"] : [],
    children: (
      <>
        <StudioTabs visit={visit} />
        <div class="row far">
          <h1>{t("studio.title")}</h1>
          <a class="btn go" href={visit.href("/upload")}>
            <Icon name="upload" />
            {t("nav.upload")}
          </a>
        </div>
        {rows.length === 0 ? <p class="muted">{t("studio.empty")}</p> : null}
        <section
          class="scroll"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the keyboard
          tabIndex={0}
          aria-label={t("studio.title")}
          hidden={rows.length === 0}
          data-fresh={isMoving ? "4000" : undefined}
          id="videos"
        >
          <table class="tab shrink">
            <thead>
              <tr>
                <th scope="col">{t("studio.video")}</th>
                <th scope="col">{t("studio.state")}</th>
                <th scope="col">{t("studio.who")}</th>
                <th scope="col" class="n">
                  {t("studio.size")}
                </th>
                <th scope="col" class="n">
                  {t("studio.created")}
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.videoId}>
                  <td>
                    <div class="item">
                      {row.still === null ? (
                        <span class="blank" aria-hidden="true" />
                      ) : (
                        <Still still={row.still} sizes="6.5rem" />
                      )}
                      <div>
                        <a href={visit.href(`/studio/${row.videoId}`)}>
                          <bdi>{titleIn(visit, texts, row.title)}</bdi>
                        </a>
                        <small class="num">
                          {[
                            row.durationSeconds === null ? "" : clock(row.durationSeconds),
                            row.height === null ? "" : `${row.height}p`,
                          ]
                            .filter((text) => text !== "")
                            .join(" · ")}
                        </small>
                      </div>
                    </div>
                  </td>
                  <td>
                    <StateOf visit={visit} video={row} />
                    {row.failureCode === null ? null : (
                      <div class="small muted">{errorText(visit.tongue, row.failureCode)}</div>
                    )}
                  </td>
                  <td class="phone-off">{t(`visibility.${row.visibility}`)}</td>
                  <td class="n phone-off">
                    {row.byteLength === null ? "–" : bytes(row.byteLength)}
                  </td>
                  <td class="n muted phone-off">{day(row.createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <Older visit={visit} next={next} />
      </>
    ),
  })
})
