/** The manifests of a video that is still being encoded, written once for each state of the log. */
import { dashManifest, MPD } from "#domain/transcode/dash.ts"
import { mediaList, multivariantList, textList } from "#domain/transcode/playlist.ts"
import type { Presentation } from "#domain/transcode/presentation.ts"
import type { Growing, GrowingRung, GrowingSound } from "#projections/growing.ts"

export const MAIN = "main.m3u8"

export const renditionOf = (
  { rungs, sounds }: Growing,
  name: string,
): GrowingRung | GrowingSound | undefined =>
  rungs.find(({ rung }) => rung.name === name) ?? sounds.find(({ sound }) => sound.name === name)

const presentationOf = ({ media, named, sounds, texts }: Growing): Presentation => ({
  variants: named.map((rung) => ({
    rung,
    framesPerSecond: media.video.framesPerSecond,
    peakBitsPerSecond: rung.maxBitsPerSecond,
  })),
  sounds: sounds.map(({ sound }) => sound),
  texts,
  keyPictures: null,
  hasChapters: false,
})

const write = (lists: Growing, file: string): string | null => {
  const { media, playableAt, texts } = lists
  const { targetDuration, durationTicks } = media
  if (file === MAIN) return multivariantList(presentationOf(lists))
  if (file === MPD) {
    const segmentsOf = (name: string) => renditionOf(lists, name)?.segments ?? []
    const growth = { playableAt, durationTicks }
    return dashManifest({ ...presentationOf(lists), segmentsOf, targetDuration, growth })
  }
  const name = file.slice(0, file.lastIndexOf("."))
  if (texts.some((track) => track.name === name)) return textList(name, durationTicks)
  const segments = renditionOf(lists, name)?.segments
  return segments ? mediaList({ name, targetDuration, segments, isWhole: false }) : null
}

const written = new WeakMap<Growing, Map<string, string | null>>()

/** `main.m3u8`, `manifest.mpd`, or a rendition's `{name}.m3u8`. `null`: there is none. */
export const growingList = (lists: Growing, file: string): string | null => {
  const texts = written.get(lists) ?? new Map<string, string | null>()
  written.set(lists, texts)
  const known = texts.get(file)
  if (known !== undefined) return known
  const text = write(lists, file)
  // Guessed names are not remembered: there is no end to them.
  if (text !== null) texts.set(file, text)
  return text
}
