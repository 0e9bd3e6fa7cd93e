/** A stable code as a sentence; an unknown one is told as it is. */
import type { Tongue } from "../tongue.ts"
import { catalogues, type Key } from "../words.ts"

const known = new Set(Object.keys(catalogues.en ?? {}))
const isKey = (text: string): text is Key => known.has(text)

export const errorText = ({ t }: Tongue, code: string): string => {
  const key = `error.${code}`
  return isKey(key) ? t(key) : t("error.unknown", { code })
}
