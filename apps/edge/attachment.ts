/** The `Content-Disposition` of a file to keep (RFC 6266): its name in any script, and one that every client reads. */

const MAX_LENGTH = 120

/** No folder, no line end, nothing that shows a name other than it is written. */
const cleaned = (title: string): string =>
  title
    .replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069/\\:*?"<>|]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .replace(/^[. ]+/, "")
    .trim()

const shortened = (title: string) => Array.from(title).slice(0, MAX_LENGTH).join("").toWellFormed()

/** RFC 8187: what `encodeURIComponent` leaves and an attribute may not hold. */
const extended = (name: string) =>
  encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  )

export const attachment = (title: string, rung: string): string => {
  const known = shortened(cleaned(title))
  const name = `${known === "" ? "video" : known}_${rung}.mp4`
  const plain = name.replaceAll(/[^A-Za-z0-9 ._()-]+/g, "_")
  return `attachment; filename="${plain}"; filename*=UTF-8''${extended(name)}`
}
