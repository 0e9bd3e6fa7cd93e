/**
 * Identifiers and the stream names made of them. A video's or worker's id begins with the code of
 * its cell (3 characters) and carries 80 random bits in Crockford's base 32; every id is checked
 * by its pattern before it meets a path, an object key or a stream name.
 */
import { Schema } from "effect"

export const idPattern = /^[a-z][a-z0-9]{2}[0-9a-hjkmnp-tv-z]{16}$/
const identifier = Schema.String.check(Schema.isPattern(idPattern))

export const VideoId = identifier.pipe(Schema.brand("VideoId"))
export type VideoId = typeof VideoId.Type

export const WorkerId = identifier.pipe(Schema.brand("WorkerId"))
export type WorkerId = typeof WorkerId.Type

/** A channel's or account's name in streams: chosen by people, so only its alphabet is fixed. */
const slug = Schema.String.check(Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,38}$/))

export const ChannelId = slug.pipe(Schema.brand("ChannelId"))
export type ChannelId = typeof ChannelId.Type

export const AccountId = slug.pipe(Schema.brand("AccountId"))
export type AccountId = typeof AccountId.Type

export const Cell = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9]{2}$/)).pipe(
  Schema.brand("Cell"),
)
export type Cell = typeof Cell.Type

/** Milliseconds since 1970, UTC. */
export const Timestamp = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8.64e15 })).pipe(
  Schema.brand("Timestamp"),
)
export type Timestamp = typeof Timestamp.Type

/** Place in the log of all streams: the store's commit position, as a decimal string. Opaque but for its order. */
export const Position = Schema.String.check(Schema.isPattern(/^(0|[1-9][0-9]{0,19})$/)).pipe(
  Schema.brand("Position"),
)
export type Position = typeof Position.Type

export const isAfter = (position: string, other: string): boolean =>
  position.length === other.length ? position > other : position.length > other.length

export type StreamName =
  | `${"upload" | "video" | "takedown" | "transcode"}-${string}`
  | `${"channel" | "account" | "worker" | "inbox" | "scheduler"}-${string}`

export const uploadStream = (id: string): StreamName => `upload-${id}`
export const videoStream = (id: string): StreamName => `video-${id}`
export const takedownStream = (id: string): StreamName => `takedown-${id}`
export const transcodeStream = (id: string): StreamName => `transcode-${id}`
export const channelStream = (id: string): StreamName => `channel-${id}`
export const accountStream = (id: string): StreamName => `account-${id}`
export const workerStream = (id: string): StreamName => `worker-${id}`
export const inboxStream = (id: string): StreamName => `inbox-${id}`
export const schedulerStream = (cell: string): StreamName => `scheduler-${cell}`

/** The streams that tell the life of one video. */
export const streamsOfVideo = (id: string): ReadonlyArray<StreamName> => [
  videoStream(id),
  uploadStream(id),
  transcodeStream(id),
  takedownStream(id),
]
