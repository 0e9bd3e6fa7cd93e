/**
 * What tasks found out about a source beside its form, by the events of its history: whether it is
 * damaged, and how loud its sound is. A new plan begins without findings.
 */
import { Option, Schema } from "effect"
import { Audio, EncodedPiece, type Loudness, Media } from "#domain/transcode/facts.ts"
import type { Told } from "./reader.ts"

export interface Findings {
  readonly isDamaged: boolean
  /** Of the sound that is heard unless another is chosen; `null`: not measured. */
  readonly loudness: Loudness | null
}

const none: Findings = { isDamaged: false, loudness: null }

const read = {
  media: Schema.decodeUnknownOption(Media),
  piece: Schema.decodeUnknownOption(EncodedPiece),
  audio: Schema.decodeUnknownOption(Audio),
}

const step = (before: Findings, { event }: Told): Findings => {
  if (event._tag === "TranscodePlanned") return none
  if (event._tag !== "TaskSucceeded") return before
  const audio = Option.getOrNull(read.audio(event.outputs.audio))
  const tellers = [
    Option.getOrNull(read.media(event.outputs.media)),
    Option.getOrNull(read.piece(event.outputs.segments)),
    audio,
  ]
  return {
    isDamaged: before.isDamaged || tellers.some((teller) => teller?.damaged === true),
    loudness: audio === null ? before.loudness : (audio.renditions[0]?.loudness ?? null),
  }
}

export const findingsOf = (history: ReadonlyArray<Told>): Findings => history.reduce(step, none)
