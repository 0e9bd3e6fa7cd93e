/** @jsxImportSource preact */
/** The upload page: a place to drop files. All that follows is the island `islands/upload.tsx`. */
import { Effect } from "effect"
import { documentOf, StudioTabs } from "../document.tsx"
import { Icon } from "../icons.tsx"
import { SignInFirst } from "../refusals.ts"
import type { Visit } from "../visit.ts"

export const upload = Effect.fn("uploadPage")(function* (visit: Visit) {
  const { t } = visit.tongue
  if (visit.session === null) return yield* new SignInFirst()
  return documentOf(visit, {
    title: t("upload.title"),
    sheets: ["studio.css"],
    scripts: ["upload"],
    words: ["upload.", "error.", "state."],
    children: (
      <>
        <StudioTabs visit={visit} />
        <section class="drop" aria-labelledby="drop" data-drop>
          <h1 id="drop">{t("upload.drop")}</h1>
          <p class="muted">{t("upload.limit")}</p>
          <div class="row">
            <label class="btn go">
              <Icon name="plus" />
              {t("upload.choose")}
              <input class="hide" type="file" multiple accept="video/*,.mkv,.ts,.m2ts" data-files />
            </label>
          </div>
          <p class="small muted">{t("upload.resumable")}</p>
          <noscript>
            <p class="note stop">{t("upload.needsScript")}</p>
          </noscript>
        </section>
        <section class="stack" data-uploads data-prefix={visit.href("/")} />
      </>
    ),
  })
})
