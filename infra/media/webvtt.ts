/**
 * WebVTT as we serve it: read from what ffmpeg wrote of a track nobody trusts, moved to the video's
 * own timeline and written anew, with no more than bold, italic and underlined text in it.
 */

/** Times in milliseconds. */
export interface Cue {
  readonly start: number
  readonly end: number
  readonly lines: ReadonlyArray<string>
}

const mostCues = 20_000
const mostLines = 8
const longestLine = 400

const timing = /^((?:\d+:)?\d\d:\d\d\.\d{3}) --> ((?:\d+:)?\d\d:\d\d\.\d{3})/

const millisOf = (text = "") => {
  const [seconds = 0, minutes = 0, hours = 0] = text.split(":").map(Number).reverse()
  return Math.round((hours * 3600 + minutes * 60 + seconds) * 1000)
}

/** Cues in the order of the file; what stands before the first one is no cue. */
export const cuesIn = (text: string): ReadonlyArray<Cue> => {
  const cues: Array<Cue & { readonly lines: Array<string> }> = []
  for (const line of text.split(/\r\n|\n|\r/)) {
    const [, start, end] = timing.exec(line) ?? []
    if (start !== undefined) {
      if (cues.length === mostCues) break
      cues.push({ start: millisOf(start), end: millisOf(end), lines: [] })
    } else if (line.trim() !== "") cues.at(-1)?.lines.push(line)
  }
  return cues
}

const entities = /&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)/g
const shownTag = /^<(\/?)([biu])>$/i

/** Text with the tags that are let through, each closed in the order it was opened. */
export const safeLine = (line: string): string => {
  const open: Array<string> = []
  const parts = line
    .slice(0, longestLine)
    .toWellFormed()
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "")
    .split(/(<\/?[a-z][^<>]*>)/i)
    .map((part) => {
      const [, slash, name = ""] = shownTag.exec(part) ?? []
      const tag = name.toLowerCase()
      if (slash === "") {
        open.push(tag)
        return `<${tag}>`
      }
      if (slash === "/") return open.at(-1) === tag ? `</${open.pop()}>` : ""
      if (/^<\/?[a-z]/i.test(part) && part.endsWith(">")) return ""
      return part.replace(entities, "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    })
  return (
    parts.join("") +
    open
      .reverse()
      .map((tag) => `</${tag}>`)
      .join("")
  )
}

/** On the timeline that begins at `zero` and ends at `end`, in order of time; nothing outside it. */
export const onTimeline = (
  cues: ReadonlyArray<Cue>,
  zero: number,
  end: number,
): ReadonlyArray<Cue> =>
  cues
    .map((cue) => ({
      start: Math.max(0, Math.round(cue.start - zero)),
      end: Math.round(Math.min(end, cue.end - zero)),
      lines: cue.lines.slice(0, mostLines).map(safeLine),
    }))
    .filter((cue) => cue.start < cue.end && cue.lines.some((line) => line.trim() !== ""))
    .sort((a, b) => a.start - b.start)

const pad = (value: number, digits: number) => String(value).padStart(digits, "0")

const timeText = (time: number) => {
  const seconds = Math.floor(time / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds % 60, 2)}.${pad(time % 1000, 3)}`
}

export const webVtt = (cues: ReadonlyArray<Cue>): string =>
  `${[
    "WEBVTT",
    ...cues.map(({ start, end, lines }) =>
      [`${timeText(start)} --> ${timeText(end)}`, ...lines.filter((it) => it !== "")].join("\n"),
    ),
  ].join("\n\n")}\n`
