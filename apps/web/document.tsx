/** @jsxImportSource preact */
/** What every page shares: the document, the header, the tabs of the studio, the footer. */
import type { ComponentChildren } from "preact"
import { renderToString } from "preact-render-to-string"
import { Brand, Icon } from "./icons.tsx"
import type { Visit } from "./visit.ts"
import { catalogues, type Key, languages } from "./words.ts"

interface Page {
  readonly title: string
  readonly sheets?: ReadonlyArray<"studio.css">
  readonly scripts?: ReadonlyArray<string>
  /** Keys that begin so are sent along for the scripts. */
  readonly words?: ReadonlyArray<string>
  readonly isPast?: boolean
  /** Between header and page. */
  readonly above?: ComponentChildren
  readonly mainClass?: string
  readonly children: ComponentChildren
}

const wordsFor = (visit: Visit, prefixes: ReadonlyArray<string>) => {
  const catalogue = catalogues[visit.tongue.locale] ?? catalogues.en ?? {}
  const chosen = Object.entries(catalogue).filter(([key]) =>
    prefixes.some((prefix) => key.startsWith(prefix)),
  )
  const { locale, dir } = visit.tongue
  // `<` is escaped, so that no sentence can end the element.
  return JSON.stringify({ locale, dir, messages: Object.fromEntries(chosen) }).replaceAll(
    "<",
    "\\u003c",
  )
}

const Header = ({ visit }: { readonly visit: Visit }) => {
  const { t } = visit.tongue
  return (
    <header class="top">
      <div class="top-in">
        <Brand href={visit.href("/")} />
        <nav class="nav" aria-label={t("nav.main")}>
          {visit.session === null ? (
            <a class="btn bare" href={visit.href("/sign-in")}>
              {t("nav.signIn")}
            </a>
          ) : (
            <>
              <a class="btn bare" href={visit.href("/studio")}>
                {t("nav.studio")}
              </a>
              <a class="btn" href={visit.href("/upload")}>
                <Icon name="upload" />
                {t("nav.upload")}
              </a>
            </>
          )}
        </nav>
      </div>
    </header>
  )
}

const Footer = ({ visit }: { readonly visit: Visit }) => (
  <footer class="foot">
    <div class="foot-in">
      <p>{visit.tongue.t("foot.about")}</p>
      <nav class="row" aria-label={visit.tongue.t("foot.language")}>
        {Object.entries(languages).map(([locale, name]) => (
          <a
            key={locale}
            href={`/${locale}${visit.path === "/" ? "" : visit.path}`}
            lang={locale}
            hreflang={locale}
            aria-current={locale === visit.tongue.locale ? "true" : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      {visit.session === null ? null : (
        <form method="post" action={visit.href("/sign-out")}>
          <button type="submit" class="btn bare">
            {visit.tongue.t("nav.signOut")}
          </button>
        </form>
      )}
    </div>
  </footer>
)

const tabs: ReadonlyArray<readonly [string, Key]> = [
  ["/studio", "tabs.videos"],
  ["/upload", "tabs.upload"],
  ["/moderation", "tabs.moderation"],
  ["/operation", "tabs.operation"],
]

/** A video's own page belongs to the list of all. */
const currentOf = ({ path: here }: Visit, path: string) => {
  if (here === path) return "page"
  return here.startsWith(`${path}/`) ? "true" : undefined
}

export const StudioTabs = ({ visit }: { readonly visit: Visit }) => (
  <nav class="tabs" aria-label={visit.tongue.t("nav.studio")}>
    {tabs.map(([path, key]) => (
      <a key={path} href={visit.href(path)} aria-current={currentOf(visit, path)}>
        {visit.tongue.t(key)}
      </a>
    ))}
  </nav>
)

export const documentOf = (visit: Visit, page: Page): string => {
  const { tongue, assets } = visit
  const { sheets = [], scripts = [], words = [] } = page
  const tree = (
    <html lang={tongue.locale} dir={tongue.dir}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${page.title} · Reelog`}</title>
        <link rel="stylesheet" href={assets.url("reelog.css")} />
        {sheets.map((sheet) => (
          <link key={sheet} rel="stylesheet" href={assets.url(sheet)} />
        ))}
        <link rel="icon" href={assets.url("icon.svg")} type="image/svg+xml" />
        {scripts.map((script) => (
          <script key={script} type="module" src={assets.url(`${script}.js`)} />
        ))}
      </head>
      <body class={page.isPast ? "past" : undefined}>
        <a class="skip" href="#main">
          {tongue.t("nav.skip")}
        </a>
        <Header visit={visit} />
        {page.above}
        <main class={page.mainClass ?? "page"} id="main">
          {page.children}
        </main>
        <Footer visit={visit} />
        {words.length === 0 ? null : (
          <script
            type="application/json"
            id="words"
            // JSON with every `<` escaped
            dangerouslySetInnerHTML={{ __html: wordsFor(visit, words) }}
          />
        )}
      </body>
    </html>
  )
  return `<!doctype html>\n${renderToString(tree)}`
}
