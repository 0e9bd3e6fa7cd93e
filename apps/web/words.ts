/**
 * The catalogues and who gets which: the path's first segment, then the cookie, then
 * Accept-Language. A pseudo language, right to left and in brackets, shows untranslated strings
 * and physical directions; it is there only when asked for.
 */
import en from "./locales/en.json" with { type: "json" }
import ko from "./locales/ko.json" with { type: "json" }
import { makeTongue, type Tongue } from "./tongue.ts"

export type Key = keyof typeof en
export type Words = Readonly<Record<Key, string>>

export const PSEUDO = "ar-XB"
export const catalogues: Readonly<Record<string, Words>> = { en, ko }
/** Each language by its own name. */
export const languages = { en: "English", ko: "한국어" } as const
export const localeCookie = "reelog-language"

const tongues: ReadonlyMap<string, Tongue> = new Map([
  ["en", makeTongue("en", "ltr", en)],
  ["ko", makeTongue("ko", "ltr", ko)],
  [PSEUDO, makeTongue("en", "rtl", en, (text) => `⟦${text}⟧`)],
])

export const tongueOf = (locale: string): Tongue =>
  tongues.get(locale) ?? makeTongue("en", "ltr", en)

/** A page's path without its language: `/ko/watch/x` is `/watch/x` in Korean. */
export const splitLocale = (
  pathname: string,
  known: ReadonlyArray<string>,
): { readonly locale: string | undefined; readonly path: string } => {
  const locale = known.find((name) => pathname === `/${name}` || pathname.startsWith(`/${name}/`))
  if (locale === undefined) return { locale, path: pathname }
  return { locale, path: pathname.slice(locale.length + 1) || "/" }
}

export const preferred = (accept: string | null, known: ReadonlyArray<string>): string => {
  const wishes = (accept ?? "")
    .split(",")
    .map((wish) => {
      const [tag = "", ...options] = wish.trim().toLowerCase().split(";")
      const weight = options.find((option) => option.trim().startsWith("q="))
      return { tag, weight: weight === undefined ? 1 : Number(weight.trim().slice(2)) || 0 }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  for (const { tag } of wishes) {
    const found = known.find((name) => tag === name || tag.startsWith(`${name}-`))
    if (found !== undefined) return found
  }
  return "en"
}
