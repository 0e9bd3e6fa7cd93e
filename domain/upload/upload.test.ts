import { describe, expect, test } from "bun:test"
import { ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { spec } from "#domain/testing.ts"
import type { UploadEvent } from "./events.ts"
import {
  PartsDoNotTile,
  PartUnknown,
  tilingBreaksAt,
  UploadIncomplete,
  UploadIsOver,
  upload,
} from "./upload.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const ofUpload = { videoId, at }
const parts = [
  { number: 1, offset: 0, length: 6 },
  { number: 2, offset: 6, length: 4 },
]
const asked = {
  ...ofUpload,
  channelId: ChannelId.make("main"),
  fileName: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  byteLength: 10,
  parts,
  centre: "local",
}
const requested: UploadEvent = { _tag: "UploadRequested", ...asked }
const first = { number: 1, etag: "a" }
const second = { number: 2, etag: "b" }
const received = (...some: ReadonlyArray<typeof first>): UploadEvent => ({
  _tag: "PartsReceived",
  ...ofUpload,
  parts: some,
})
const completed: UploadEvent = { _tag: "UploadCompleted", ...ofUpload, byteLength: 10 }
const { given } = spec(upload)

describe("an upload", () => {
  test("begins with parts that tile the source, in any order", () => {
    given()
      .when({ _tag: "RequestUpload", ...asked, parts: [...parts].reverse() })
      .thenRecords({ _tag: "UploadRequested", ...asked, parts: [...parts].reverse() })
  })
  test("is refused when its parts leave a hole", () => {
    given()
      .when({ _tag: "RequestUpload", ...asked, byteLength: 12 })
      .thenRejects(new PartsDoNotTile({ videoId, at: 10 }))
  })
  test("takes parts in any order, and a repeated one only once", () => {
    given(requested)
      .when({ _tag: "ReceiveParts", ...ofUpload, parts: [second] })
      .thenRecords(received(second))
    given(requested, received(second))
      .when({ _tag: "ReceiveParts", ...ofUpload, parts: [second, first] })
      .thenRecords(received(first))
  })
  test("knows no part that was not announced", () => {
    given(requested)
      .when({ _tag: "ReceiveParts", ...ofUpload, parts: [{ number: 3, etag: "c" }] })
      .thenRejects(new PartUnknown({ videoId, number: 3 }))
  })
  test("is complete only with all its parts", () => {
    given(requested, received(first))
      .when({ _tag: "CompleteUpload", ...ofUpload })
      .thenRejects(new UploadIncomplete({ videoId, missing: [2] }))
    given(requested, received(first), received(second))
      .when({ _tag: "CompleteUpload", ...ofUpload })
      .thenRecords(completed)
    given(requested, received(first, second), completed)
      .when({ _tag: "CompleteUpload", ...ofUpload })
      .thenNothing()
  })
  test("that expired takes nothing more", () => {
    given(requested, { _tag: "UploadExpired", ...ofUpload })
      .when({ _tag: "ReceiveParts", ...ofUpload, parts: [first] })
      .thenRejects(new UploadIsOver({ videoId }))
  })
  test("that nobody goes on with expires once, unless it is complete", () => {
    const expired: UploadEvent = { _tag: "UploadExpired", ...ofUpload }
    given(requested, received(first))
      .when({ _tag: "ExpireUpload", ...ofUpload })
      .thenRecords(expired)
    given(requested, expired)
      .when({ _tag: "ExpireUpload", ...ofUpload })
      .thenNothing()
    given(requested, received(first, second), completed)
      .when({ _tag: "ExpireUpload", ...ofUpload })
      .thenNothing()
  })
})

describe("an upload that was never asked for", () => {
  const expired: UploadEvent = { _tag: "UploadExpired", ...ofUpload }

  test("expires all the same: its video exists and waits for it", () => {
    given()
      .when({ _tag: "ExpireUpload", ...ofUpload })
      .thenRecords(expired)
    given(expired)
      .when({ _tag: "ExpireUpload", ...ofUpload })
      .thenNothing()
  })
  test("does not begin after that, and takes no part", () => {
    given(expired)
      .when({ _tag: "RequestUpload", ...asked })
      .thenNothing()
    given(expired)
      .when({ _tag: "ReceiveParts", ...ofUpload, parts: [first] })
      .thenRejects(new UploadIsOver({ videoId }))
    given(expired)
      .when({ _tag: "CompleteUpload", ...ofUpload })
      .thenRejects(new UploadIsOver({ videoId }))
  })
})

test("parts tile a source only without gap, overlap, empty or doubled part", () => {
  const part = (number: number, offset: number, length: number) => ({ number, offset, length })
  expect(tilingBreaksAt([part(1, 0, 5), part(2, 5, 5)], 10)).toBeUndefined()
  expect(tilingBreaksAt([part(1, 0, 5), part(2, 4, 6)], 10)).toBe(4)
  expect(tilingBreaksAt([part(1, 0, 5), part(2, 6, 4)], 10)).toBe(5)
  expect(tilingBreaksAt([part(1, 0, 10), part(2, 10, 0)], 10)).toBe(10)
  expect(tilingBreaksAt([part(1, 0, 5), part(1, 5, 5)], 10)).toBe(0)
  expect(tilingBreaksAt([], 10)).toBe(0)
  expect(tilingBreaksAt([part(1, 0, 12)], 10)).toBe(10)
})
