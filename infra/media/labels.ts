/** What a source says of its tracks: language and title as its author wrote them, made safe to show. */
import { plainText, type Row } from "./probe.ts"
import type { Labels, TextStream } from "./source-index.ts"
import { numberOf } from "./verdict.ts"

const longestTitle = 100

/** ISO 639-2 has two codes for these; the registry of BCP 47 knows the other one. */
const bibliographic: Readonly<Record<string, string>> = {
  alb: "sq",
  arm: "hy",
  baq: "eu",
  bur: "my",
  chi: "zh",
  cze: "cs",
  dut: "nl",
  fre: "fr",
  geo: "ka",
  ger: "de",
  gre: "el",
  ice: "is",
  mac: "mk",
  mao: "mi",
  may: "ms",
  per: "fa",
  rum: "ro",
  slo: "sk",
  tib: "bo",
  wel: "cy",
}
/** Nobody knows, and the reasons why. */
const unknown = new Set(["und", "mis", "mul", "zxx", "root"])
const wellFormed = /^[a-z]{2,3}(-[a-z0-9]{2,8}){0,4}$/

/** ISO 639-2, or what is BCP 47 already. */
export const languageTag = (code: string | undefined): string | null => {
  const asked = (code ?? "").trim().toLowerCase().replaceAll("_", "-")
  const tag = bibliographic[asked] ?? asked
  if (!wellFormed.test(tag) || unknown.has(tag)) return null
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}

/** One line without control characters, nor those that turn the direction of what stands around. */
export const safeTitle = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Z}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim()
    .slice(0, longestTitle)
    .toWellFormed()

const tagOf = (row: Row, name: string) =>
  row.get(`tag:${name}`) ?? row.get(`tag:${name.toUpperCase()}`)

export const labelsOf = (row: Row): Labels => {
  const title = safeTitle(plainText(tagOf(row, "title") ?? ""))
  return {
    language: languageTag(tagOf(row, "language")),
    title: title === "" ? null : title,
    isDefault: row.get("disposition:default") === "1",
  }
}

export const textOf = (row: Row): TextStream => ({
  stream: numberOf(row, "index"),
  codec: row.get("codec_name") ?? "",
  ...labelsOf(row),
  isForced: row.get("disposition:forced") === "1",
  isCaption: row.get("disposition:hearing_impaired") === "1",
})
