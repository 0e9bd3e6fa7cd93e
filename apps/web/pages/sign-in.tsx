/** @jsxImportSource preact */
/** Signing in: by a one-time link only. A link that no longer opens says so. */
import { documentOf } from "../document.tsx"
import { Brand } from "../icons.tsx"
import type { Visit } from "../visit.ts"

export const signInPage = (visit: Visit, isSpent: boolean): string => {
  const { t } = visit.tongue
  return documentOf(visit, {
    title: t("signIn.title"),
    mainClass: "page oops",
    children: (
      <div class="stack words">
        <Brand href={visit.href("/")} />
        <h1>{t("signIn.title")}</h1>
        {isSpent ? (
          <p class="note stop" role="alert">
            {t("signIn.spent")}
          </p>
        ) : null}
        <p>{t("signIn.how")}</p>
        <form class="stack" method="get" action={visit.href("/sign-in")}>
          <label class="field">
            <span>{t("signIn.code")}</span>
            <input class="in mono" name="code" required autocomplete="one-time-code" />
          </label>
          <button type="submit" class="btn go wide">
            {t("signIn.title")}
          </button>
        </form>
      </div>
    ),
  })
}
