/** What the door and the address make of a request: a text that we have, an object, or a refusal. Pure. */
import { image, initSegment, manifest, ownImage, segment, textTrack } from "#domain/keys.ts"
import { MPD } from "#domain/transcode/dash.ts"
import { CHAPTERS } from "#domain/transcode/playlist.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
import type { Door } from "#projections/playback.ts"
import type { Address, Asked } from "./address.ts"
import { KEEP_AND_ASK, KEEP_SEGMENT, type ProblemCode } from "./answers.ts"
import { growingList, MAIN, renditionOf } from "./growing-list.ts"

export type Found =
  | { readonly _tag: "Text"; readonly name: string; readonly text: string }
  | { readonly _tag: "Object"; readonly key: string; readonly cacheControl: string }
  | {
      readonly _tag: "Download"
      readonly run: number
      readonly rung: string
      readonly title: string
    }
  | { readonly _tag: "Refused"; readonly code: ProblemCode; readonly reason?: string }

const refused = (code: ProblemCode): Found => ({ _tag: "Refused", code })
const kept = (key: string): Found => ({ _tag: "Object", key, cacheControl: KEEP_SEGMENT })
const asked = (key: string): Found => ({ _tag: "Object", key, cacheControl: KEEP_AND_ASK })

/** Copies of an image that the owner uploaded: of the video, whichever run is watched. */
const ofOwner = /^[0-9a-f]{16}-\d+\.(jpg|webp)$/

/** The final manifests were checked when they were written; what they don't name has no object. */
const inFinal = (
  { videoId, asked: wanted }: Address,
  run: number,
  names: { readonly hls: string; readonly dash: string } = { hls: MAIN, dash: MPD },
): Found => {
  switch (wanted._tag) {
    case "Multivariant":
      return asked(manifest(videoId, run, names.hls))
    case "List":
      return asked(manifest(videoId, run, `${wanted.rung}.m3u8`))
    case "Dash":
      return asked(manifest(videoId, run, names.dash))
    case "Chapters":
      return asked(manifest(videoId, run, CHAPTERS))
    case "Text":
      return asked(textTrack(videoId, run, wanted.track))
    case "Image":
      return asked(
        ofOwner.test(wanted.name)
          ? ownImage(videoId, wanted.name)
          : image(videoId, run, wanted.name),
      )
    case "Download":
      return { _tag: "Download", run, rung: wanted.rung, title: wanted.title }
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
  const { segments } = renditionOf(lists, name) ?? {}
  return (segments?.at(-1)?.k ?? -1) >= k
}

const listNameOf = (wanted: Extract<Asked, { _tag: "Multivariant" | "Dash" | "List" }>) => {
  switch (wanted._tag) {
    case "Multivariant":
      return MAIN
    case "Dash":
      return MPD
    case "List":
      return `${wanted.rung}.m3u8`
  }
}

const inGrowing = (address: Address, door: GrowingDoor): Found => {
  const wanted = address.asked
  switch (wanted._tag) {
    case "Multivariant":
    case "Dash":
    case "List": {
      const name = listNameOf(wanted)
      const text = growingList(door.lists, name)
      return text === null ? refused("media_not_found") : { _tag: "Text", name, text }
    }
    case "Init":
    case "Segment": {
      const k = wanted._tag === "Segment" ? wanted.k : 0
      return isShown(door, wanted.rung, k) ? inFinal(address, door.run) : refused("media_not_found")
    }
    // A file that is kept has to be whole.
    case "Download":
      return refused("media_not_found")
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
      return inFinal(address, door.run, door.isExtended ? EXTENDED : undefined)
  }
}
