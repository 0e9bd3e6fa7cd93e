/** The playlists of a video that is still being encoded, written once for each state of the log. */
import { AUDIO, mediaList, multivariantList } from "#domain/transcode/playlist.ts"
import type { Growing } from "#projections/playback.ts"

const write = ({ media, named, rungs, audio }: Growing, name: string | null): string | null => {
  if (name === null) {
    const { framesPerSecond } = media.video
    const variants = named.map((rung) => ({
      rung,
      framesPerSecond,
      peakBitsPerSecond: rung.maxBitsPerSecond,
    }))
    return multivariantList(variants, audio)
  }
  const segments =
    name === AUDIO ? audio?.segments : rungs.find(({ rung }) => rung.name === name)?.segments
  const { targetDuration } = media
  return segments ? mediaList({ name, targetDuration, segments, isWhole: false }) : null
}

const written = new WeakMap<Growing, Map<string | null, string | null>>()

/** `name`: a rung's or `audio`; `null` for the multivariant list. `null` answers: there is none. */
export const growingList = (lists: Growing, name: string | null): string | null => {
  const texts = written.get(lists) ?? new Map<string | null, string | null>()
  written.set(lists, texts)
  const known = texts.get(name)
  if (known !== undefined) return known
  const text = write(lists, name)
  // Guessed names are not remembered: there is no end to them.
  if (text !== null) texts.set(name, text)
  return text
}
