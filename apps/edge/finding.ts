/** What the door and the address make of a request: a text that we have, an object, or a refusal. Pure. */
import { image, initSegment, manifest, segment } from "#domain/keys.ts"
import { AUDIO } from "#domain/transcode/playlist.ts"
import type { Door } from "#projections/playback.ts"
import type { Address } from "./address.ts"
import { KEEP_AND_ASK, KEEP_SEGMENT, type ProblemCode } from "./answers.ts"
import { growingList } from "./growing-list.ts"

export type Found =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Object"; readonly key: string; readonly cacheControl: string }
  | { readonly _tag: "Refused"; readonly code: ProblemCode; readonly reason?: string }

const refused = (code: ProblemCode): Found => ({ _tag: "Refused", code })
const kept = (key: string): Found => ({ _tag: "Object", key, cacheControl: KEEP_SEGMENT })
const asked = (key: string): Found => ({ _tag: "Object", key, cacheControl: KEEP_AND_ASK })

/** The final manifests were checked when they were written; what they don't name has no object. */
const inFinal = ({ videoId, asked: wanted }: Address, run: number): Found => {
  switch (wanted._tag) {
    case "Multivariant":
      return asked(manifest(videoId, run, "main.m3u8"))
    case "List":
      return asked(manifest(videoId, run, `${wanted.rung}.m3u8`))
    case "Image":
      return asked(image(videoId, run, wanted.name))
    case "Init":
      return kept(initSegment(videoId, run, wanted.rung))
    case "Segment":
      return kept(segment(videoId, run, wanted.rung, wanted.k))
    case "Nothing":
      return refused("media_not_found")
  }
}

type GrowingDoor = Extract<Door, { _tag: "Growing" }>

/** Beyond what a list shows there may be segments already, of pieces that came early. */
const isShown = ({ lists }: GrowingDoor, name: string, k: number): boolean => {
  const segments =
    name === AUDIO
      ? lists.audio?.segments
      : lists.rungs.find(({ rung }) => rung.name === name)?.segments
  return (segments?.at(-1)?.k ?? -1) >= k
}

const inGrowing = (address: Address, door: GrowingDoor): Found => {
  const wanted = address.asked
  switch (wanted._tag) {
    case "Multivariant":
    case "List": {
      const text = growingList(door.lists, wanted._tag === "List" ? wanted.rung : null)
      return text === null ? refused("media_not_found") : { _tag: "Text", text }
    }
    case "Init":
    case "Segment": {
      const k = wanted._tag === "Segment" ? wanted.k : 0
      return isShown(door, wanted.rung, k) ? inFinal(address, door.run) : refused("media_not_found")
    }
    default:
      return inFinal(address, door.run)
  }
}

export const find = (door: Door, address: Address): Found => {
  switch (door._tag) {
    case "Absent":
      return refused("video_not_found")
    case "Closed":
      return { _tag: "Refused", code: "video_taken_down", reason: door.reason }
    case "Failed":
      return { _tag: "Refused", code: "video_failed", reason: door.code }
    case "Waiting":
      return refused("video_not_ready")
    case "Growing":
      return inGrowing(address, door)
    case "Final":
      return inFinal(address, door.run)
  }
}
