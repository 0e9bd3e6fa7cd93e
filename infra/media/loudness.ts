/** The loudness of each rendition, as ffmpeg's `ebur128` says it in its last words. */
import type { Loudness } from "#domain/transcode/facts.ts"

/** Below what anybody hears; stands for silence, whose level has no number. */
const floor = -120
/** EBU R 128: the gate lets nothing below this through. */
const gate = -70
const silentPeak = -60

export const loudnessFilter = (name: string) => `ebur128@${name}=peak=sample+true:framelog=verbose`

/** Its words are told at the level of news: the program has to speak at that level, errors marked. */
export const tellingLoudness = ["-hide_banner", "-nostats", "-v", "level+info"]

/** What is left of its words are complaints: news name what a user wrote. */
export const complaintsIn = (stderr: string): string =>
  stderr
    .split("\n")
    .filter((line) => /\[(?:warning|error|fatal|panic)\]/.test(line))
    .join("\n")

const figure = (text: string, pattern: RegExp): number | null => {
  const told = pattern.exec(text)?.[1]
  if (told === undefined) return null
  const value = Number(told)
  return Math.max(floor, Number.isFinite(value) ? value : floor)
}

/** `null`: it did not come to its end, or another said more than is kept. */
export const loudnessOf = (stderr: string, name: string): Loudness | null => {
  const words = stderr.lastIndexOf(`[ebur128@${name} @`)
  const from = words < 0 ? -1 : stderr.indexOf("Summary:", words)
  if (from < 0) return null
  const text = stderr.slice(from, from + 600)
  const integratedLufs = figure(text, /\bI:\s+(\S+) LUFS/)
  const rangeLu = figure(text, /\bLRA:\s+(\S+) LU/)
  const samplePeak = figure(text, /Sample peak:\s+Peak:\s+(\S+) dBFS/)
  const truePeakDbtp = figure(text, /True peak:\s+Peak:\s+(\S+) dBFS/)
  if (integratedLufs === null || rangeLu === null || samplePeak === null || truePeakDbtp === null)
    return null
  return {
    integratedLufs: Math.max(gate, integratedLufs),
    truePeakDbtp,
    rangeLu,
    isSilent: integratedLufs <= gate && samplePeak <= silentPeak,
    isClipped: samplePeak >= 0,
  }
}
