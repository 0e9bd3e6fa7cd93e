/**
 * An upload: requested with a list of parts that tile the source, received part by part in any
 * order and any number of times, completed once all are there. The bytes themselves go to the
 * object store; this stream only knows facts about them. An upload that nobody goes on with expires,
 * also one that was never asked for though its video had been created.
 */
import { Schema } from "effect"
import { accept, alreadyDone, type Decider, type Decision, reject } from "#domain/decider.ts"
import { ChannelId, Timestamp, uploadStream, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { Part, ReceivedPart, type UploadEvent } from "./events.ts"

export const MOST_PARTS = 10_000

// Commands

const ofUpload = { videoId: VideoId, at: Timestamp }

export const UploadCommand = Schema.TaggedUnion({
  RequestUpload: {
    ...ofUpload,
    channelId: ChannelId,
    fileName: Sealed,
    byteLength: Schema.Int,
    parts: Schema.Array(Part),
    centre: Schema.String,
  },
  ReceiveParts: { ...ofUpload, parts: Schema.Array(ReceivedPart) },
  CompleteUpload: ofUpload,
  ExpireUpload: ofUpload,
})
export type UploadCommand = typeof UploadCommand.Type

// Rejections

export class UploadNotFound extends Schema.TaggedError<UploadNotFound>()("UploadNotFound", {
  videoId: VideoId,
}) {}

/** The parts do not tile the source: a gap, an overlap, an empty part, or too many. */
export class PartsDoNotTile extends Schema.TaggedError<PartsDoNotTile>()("PartsDoNotTile", {
  videoId: VideoId,
  /** The first byte that is in no part, or in two. */
  at: Schema.Int,
}) {}

export class PartUnknown extends Schema.TaggedError<PartUnknown>()("PartUnknown", {
  videoId: VideoId,
  number: Schema.Int,
}) {}

export class UploadIncomplete extends Schema.TaggedError<UploadIncomplete>()("UploadIncomplete", {
  videoId: VideoId,
  missing: Schema.Array(Schema.Int),
}) {}

export class UploadIsOver extends Schema.TaggedError<UploadIsOver>()("UploadIsOver", {
  videoId: VideoId,
}) {}

export type UploadRejection =
  | UploadNotFound
  | PartsDoNotTile
  | PartUnknown
  | UploadIncomplete
  | UploadIsOver

// State

export type Upload =
  | { readonly _tag: "Absent" }
  | {
      readonly _tag: "Receiving" | "Completed" | "Expired"
      readonly byteLength: number
      readonly parts: ReadonlyMap<number, Part>
      readonly received: ReadonlyMap<number, ReceivedPart>
    }

/** Its video was created, and whoever did that never came back to ask for the upload. */
const neverRequested: Upload = {
  _tag: "Expired",
  byteLength: 0,
  parts: new Map(),
  received: new Map(),
}

const evolve = (upload: Upload, event: UploadEvent): Upload => {
  if (event._tag === "UploadRequested") {
    const parts = new Map(event.parts.map((part) => [part.number, part]))
    return { _tag: "Receiving", byteLength: event.byteLength, parts, received: new Map() }
  }
  if (upload._tag === "Absent") return event._tag === "UploadExpired" ? neverRequested : upload
  switch (event._tag) {
    case "PartsReceived": {
      const news = event.parts.map((part) => [part.number, part] as const)
      return { ...upload, received: new Map([...upload.received, ...news]) }
    }
    case "UploadCompleted":
      return { ...upload, _tag: "Completed" }
    case "UploadExpired":
      return { ...upload, _tag: "Expired" }
  }
}

/** The parts that have not been reported yet, in order. */
export const missingParts = (upload: Upload): ReadonlyArray<Part> =>
  upload._tag === "Absent"
    ? []
    : [...upload.parts.values()].filter(({ number }) => !upload.received.has(number))

// Decisions

/** The byte at which the tiling breaks, or undefined when the parts cover `[0, byteLength)` once. Their numbers run from 1 in any order of offsets. */
export const tilingBreaksAt = (
  parts: ReadonlyArray<Part>,
  byteLength: number,
): number | undefined => {
  if (parts.length === 0 || parts.length > MOST_PARTS) return 0
  const numbers = new Set(parts.map(({ number }) => number))
  if (numbers.size !== parts.length || parts.some(({ number }) => number < 1)) return 0
  let end = 0
  for (const { offset, length } of [...parts].sort((a, b) => a.offset - b.offset)) {
    if (offset !== end || length < 1) return Math.min(offset, end)
    end += length
  }
  return end === byteLength ? undefined : Math.min(end, byteLength)
}

const decide = (upload: Upload, command: UploadCommand): Decision<UploadEvent, UploadRejection> => {
  const { videoId, at } = command
  if (command._tag === "RequestUpload") {
    if (upload._tag !== "Absent") return alreadyDone
    const { channelId, fileName, byteLength, parts, centre } = command
    const breaksAt = tilingBreaksAt(parts, byteLength)
    return breaksAt === undefined
      ? accept({
          _tag: "UploadRequested",
          ...{ videoId, at, channelId, fileName, byteLength, parts, centre },
        })
      : reject(new PartsDoNotTile({ videoId, at: breaksAt }))
  }
  if (command._tag === "ExpireUpload") {
    const isOver = upload._tag === "Completed" || upload._tag === "Expired"
    return isOver ? alreadyDone : accept({ _tag: "UploadExpired", videoId, at })
  }
  if (upload._tag === "Absent") return reject(new UploadNotFound({ videoId }))

  switch (command._tag) {
    case "ReceiveParts": {
      const unknown = command.parts.find(({ number }) => !upload.parts.has(number))
      if (unknown && upload._tag !== "Expired")
        return reject(new PartUnknown({ videoId, number: unknown.number }))
      const parts = command.parts.filter(({ number }) => !upload.received.has(number))
      if (parts.length === 0) return alreadyDone
      return upload._tag === "Receiving"
        ? accept({ _tag: "PartsReceived", videoId, parts, at })
        : reject(new UploadIsOver({ videoId }))
    }
    case "CompleteUpload": {
      if (upload._tag === "Completed") return alreadyDone
      if (upload._tag === "Expired") return reject(new UploadIsOver({ videoId }))
      const missing = missingParts(upload).map(({ number }) => number)
      return missing.length === 0
        ? accept({ _tag: "UploadCompleted", videoId, byteLength: upload.byteLength, at })
        : reject(new UploadIncomplete({ videoId, missing }))
    }
  }
}

export const upload: Decider<Upload, UploadCommand, UploadEvent, UploadRejection> = {
  stream: ({ videoId }) => uploadStream(videoId),
  initial: { _tag: "Absent" },
  decide,
  evolve,
}
