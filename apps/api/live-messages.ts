/** What an event of a video's life means to those who wait for it, and how that is written as server-sent events. Pure. */
import type { DomainEvent } from "#domain/events.ts"
import type { TranscodeProgress } from "#projections/transcode-progress-row.ts"

export interface Message {
  readonly event: string
  readonly data: unknown
}

export type Progress = TranscodeProgress | null

const rungsChanged = (before: Progress, after: TranscodeProgress): ReadonlyArray<Message> =>
  after.rungs
    .filter((rung) => {
      const known = before?.rungs.find(({ name }) => name === rung.name)
      return known?.done !== rung.done || known.total !== rung.total
    })
    .map(({ name, done, total, width, height }) => ({
      event: "rendition",
      data: { rung: name, done, total, isTotalKnown: after.arePiecesWhole, width, height },
    }))

const uploadOf = ({
  bytesReceived,
  bytesTotal,
  partsReceived,
  partLengths,
}: TranscodeProgress) => ({
  receivedBytes: bytesReceived,
  byteLength: bytesTotal,
  parts: partsReceived,
  partCount: partLengths.length,
})

export const messagesOf = (
  event: DomainEvent,
  before: Progress,
  after: Progress,
): ReadonlyArray<Message> => {
  switch (event._tag) {
    case "UploadRequested":
    case "PartsReceived":
    case "UploadCompleted":
      return after === null ? [] : [{ event: "upload", data: uploadOf(after) }]
    case "TaskEmitted":
    case "TaskSucceeded":
      return after === null ? [] : rungsChanged(before, after)
    case "VideoPlayable":
      return [{ event: "playable", data: {} }]
    case "VideoPublished":
      return [{ event: "published", data: {} }]
    case "VideoExtended":
      return [{ event: "extended", data: {} }]
    case "VideoFailed":
      return [{ event: "failed", data: { code: event.code } }]
    case "UploadExpired":
      return [{ event: "failed", data: { code: "upload_expired" } }]
    case "VideoTakenDown":
      return [{ event: "taken-down", data: { reason: event.reason } }]
    case "VideoReinstated":
      return [{ event: "reinstated", data: {} }]
    default:
      return []
  }
}

/** Only the last frame of an event has its id: who lost some of them gets all of them again. */
export const textOf = (position: string, messages: ReadonlyArray<Message>): string =>
  messages
    .map(({ event, data }, index) => {
      const id = index === messages.length - 1 ? `id: ${position}\n` : ""
      return `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
    })
    .join("")
