/** The little XML that S3 speaks: flat answers, and requests of which only two elements matter. */

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
}

/** Control characters, which XML 1.0 lacks, are escaped as S3 does. */
export const escapeXml = (text: string) =>
  text
    .replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? character)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    .replaceAll(/[\u0000-\u001f]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`)

const PLAIN: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
}

const unescapeXml = (text: string) =>
  text.replaceAll(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return PLAIN[name] ?? whole
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })

/** Inner texts of all elements of a name, in order. */
export const elements = (text: string, name: string): ReadonlyArray<string> =>
  Array.from(
    text.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g")),
    ([, inner = ""]) => inner,
  )

export const element = (text: string, name: string): string | undefined => {
  const [inner] = elements(text, name)
  return inner === undefined ? undefined : unescapeXml(inner)
}

export const xml = (body: string, status = 200): Response =>
  new Response(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`, {
    status,
    headers: { "content-type": "application/xml" },
  })

export const isoTime = (millis: number) => new Date(millis).toISOString()
