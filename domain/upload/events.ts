/** What is recorded in `upload-{videoId}`: how the source's bytes arrived, part by part. */
import { Schema } from "effect"
import { ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"

/** A part is a half-open byte range of the source and an object of its own: `sources/{videoId}/{number}`. Numbers begin with 1. */
export const Part = Schema.Struct({
  number: Schema.Int,
  offset: Schema.Int,
  length: Schema.Int,
})
export type Part = typeof Part.Type

export const ReceivedPart = Schema.Struct({
  number: Schema.Int,
  etag: Schema.String,
  sha256: Schema.optionalKey(Schema.String),
})
export type ReceivedPart = typeof ReceivedPart.Type

const ofUpload = { videoId: VideoId, at: Timestamp }

export const UploadEvent = Schema.TaggedUnion({
  UploadRequested: {
    ...ofUpload,
    channelId: ChannelId,
    fileName: Sealed,
    byteLength: Schema.Int,
    parts: Schema.Array(Part),
    centre: Schema.String,
  },
  PartsReceived: { ...ofUpload, parts: Schema.Array(ReceivedPart) },
  UploadCompleted: { ...ofUpload, byteLength: Schema.Int },
  UploadExpired: ofUpload,
})
export type UploadEvent = typeof UploadEvent.Type
