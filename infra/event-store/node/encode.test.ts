import { expect, test } from "bun:test"
import persistent from "@eventstore/db-client/generated/persistent_pb.js"
import streams from "@eventstore/db-client/generated/streams_pb.js"
import { Arbitrary, Effect, Schema } from "effect"
import {
  caughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeEvent,
  encodeStreamNotFound,
} from "./encode.ts"
import { type Stored, TOMBSTONE } from "./record.ts"

const Natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const AnyEvent = Schema.Struct({
  position: Natural,
  stream: Schema.NonEmptyString,
  revision: Natural,
  id: Schema.NonEmptyString,
  type: Schema.NonEmptyString,
  isJson: Schema.Boolean,
  data: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))),
  metadata: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))),
  createdAt: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 })),
})

const decoded = (message: Buffer) => {
  const event = streams.ReadResp.deserializeBinary(message).getEvent()
  const recorded = event?.getEvent()
  const fields = recorded?.getMetadataMap()
  return {
    at: event?.getCommitPosition(),
    position: recorded?.getCommitPosition(),
    prepare: recorded?.getPreparePosition(),
    stream: Buffer.from(recorded?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
    revision: recorded?.getStreamRevision(),
    id: recorded?.getId()?.getString(),
    type: fields?.get("type"),
    contentType: fields?.get("content-type"),
    created: fields?.get("created"),
    data: [...(recorded?.getData_asU8() ?? [])],
    metadata: [...(recorded?.getCustomMetadata_asU8() ?? [])],
  }
}

const expected = (event: Stored) => ({
  at: String(event.position),
  position: String(event.position),
  prepare: String(event.position),
  stream: event.stream,
  revision: event.revision === TOMBSTONE ? "9223372036854775807" : String(event.revision),
  id: event.id,
  type: event.type,
  contentType: event.isJson ? "application/json" : "application/octet-stream",
  created: String(event.createdAt * 10_000),
  data: [...event.data],
  metadata: [...event.metadata],
})

test("the generated decoder reads every event that was encoded by hand", async () => {
  const report = await Effect.runPromise(
    Arbitrary.checkEffect(Arbitrary.schema(AnyEvent), (event) =>
      Effect.sync(() => {
        const stored: Stored = {
          ...event,
          // A lone surrogate is no text; the store never sees one.
          stream: event.stream.toWellFormed(),
          id: event.id.toWellFormed(),
          type: event.type.toWellFormed(),
          data: Uint8Array.from(event.data),
          metadata: Uint8Array.from(event.metadata),
        }
        return Bun.deepEquals(decoded(encodeEvent({ event: stored })), expected(stored))
      }),
    ),
  )
  expect(Arbitrary.formatCheckFailure(report)).toBeUndefined()
})

const event: Stored = {
  position: 300,
  stream: "video-ö",
  revision: TOMBSTONE,
  id: crypto.randomUUID(),
  type: "$streamDeleted",
  isJson: true,
  data: new Uint8Array(0),
  metadata: new Uint8Array(0),
  createdAt: 1_700_000_000_000,
}

test("a tombstone is shown at the largest revision", () => {
  expect(decoded(encodeEvent({ event }))).toEqual(expected(event))
})

test("a delivery carries its link, the link's position and the number of tries", () => {
  const link = { ...event, position: 700, revision: 0, type: "$>" }
  const message = persistent.ReadResp.deserializeBinary(encodeEvent({ event, link }, 3)).getEvent()
  expect(message?.getRetryCount()).toBe(3)
  expect(message?.getCommitPosition()).toBe("700")
  expect(message?.getLink()?.getMetadataMap().get("type")).toBe("$>")
  expect(message?.getEvent()?.getId()?.getString()).toBe(event.id)
  const missing = persistent.ReadResp.deserializeBinary(encodeEvent({ event: undefined, link }, 0))
  expect(missing.getEvent()?.hasEvent()).toBe(false)
})

test("the other answers are read as what they are", () => {
  const read = (message: Buffer) => streams.ReadResp.deserializeBinary(message)
  expect(read(encodeConfirmation("s")).getConfirmation()?.getSubscriptionId()).toBe("s")
  expect(
    read(encodeCheckpoint(2 ** 40))
      .getCheckpoint()
      ?.getCommitPosition(),
  ).toBe(String(2 ** 40))
  expect(read(caughtUp).hasCaughtUp()).toBe(true)
  const missing = read(encodeStreamNotFound("a")).getStreamNotFound()?.getStreamIdentifier()
  expect(Buffer.from(missing?.getStreamName_asU8() ?? []).toString()).toBe("a")
})
