import { expect, test } from "bun:test"
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { doorOf, evolvePlayback, noPlayback } from "./playback.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const transcode = `${videoId}.1`
const created: DomainEvent = {
  ...{ _tag: "VideoCreated", videoId, at, channelId: ChannelId.make("main") },
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
const published: DomainEvent = { _tag: "VideoPublished", videoId, transcode, at }
const extended = (run = 1): DomainEvent => ({
  ...{ _tag: "VideoExtended", videoId, transcode: `${videoId}.${run}`, at },
})
const doorAfter = (...events: ReadonlyArray<DomainEvent>) =>
  doorOf(events.reduce(evolvePlayback, noPlayback))

test("a published video gets its wider manifests when they are told of, whatever is told first", () => {
  const wide = { _tag: "Final" as const, run: 1, isExtended: true as const }
  expect(doorAfter(created, published)).toEqual({ _tag: "Final", run: 1 })
  expect(doorAfter(created, published, extended())).toEqual(wide)
  expect(doorAfter(created, extended(), published)).toEqual(wide)
  expect(doorAfter(created, published, extended(2))).toEqual({ _tag: "Final", run: 1 })
})
