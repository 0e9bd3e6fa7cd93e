/**
 * Which renditions the sound of a source deserves: each track in stereo, the default one first, and
 * in 5.1 where it has that. Names are by place, so that a second try finds the same.
 */
import { DEFAULT_SOUND, type SoundRendition } from "#domain/transcode/facts.ts"
import type { OpenedIndex, SoundTrack } from "./source-index.ts"

export interface PlannedSound
  extends Pick<SoundRendition, "name" | "group" | "channels" | "language" | "title" | "isDefault"> {
  readonly track: SoundTrack
  readonly bitsPerSecond: number
}

/** So that what is told of them fits into one event. */
const mostRenditions = 8
const surroundChannels = 6

const stereo = (track: SoundTrack, place: number): PlannedSound => {
  const { language, title } = track
  return {
    track,
    name: place === 0 ? DEFAULT_SOUND : `${DEFAULT_SOUND}-${place}`,
    group: "stereo",
    channels: 2,
    bitsPerSecond: 128_000,
    ...{ language, title, isDefault: place === 0 },
  }
}

const surround = (track: SoundTrack, place: number): PlannedSound => {
  const { name, ...rest } = stereo(track, place)
  return {
    ...rest,
    name: `${name}-51`,
    group: "surround",
    channels: surroundChannels,
    bitsPerSecond: 384_000,
  }
}

export const plannedSound = ({ audio, moreAudio }: OpenedIndex): ReadonlyArray<PlannedSound> => {
  const tracks = audio === null ? [] : [audio, ...moreAudio]
  const each = tracks.map(stereo)
  const wide = tracks.flatMap((track, place) =>
    track.channels >= surroundChannels ? [surround(track, place)] : [],
  )
  // 5.1 of the default track comes before a ninth language.
  const kept = each.slice(0, mostRenditions - Math.min(1, wide.length))
  return [...kept, ...wide].slice(0, mostRenditions)
}
