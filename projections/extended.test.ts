import { expect, test } from "bun:test"
import type { DomainEvent } from "#domain/events.ts"
import { AccountId, ChannelId, Timestamp, VideoId, WorkerId } from "#domain/ids.ts"
import { manifest } from "#domain/keys.ts"
import { Sealed } from "#domain/sealed.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
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
const packaged = (name: string): DomainEvent => ({
  ...{ _tag: "TaskSucceeded", videoId, taskId: `${transcode}/whatever`, attempt: 1 },
  worker: WorkerId.make("loc0000000000000001"),
  outputs: { manifest: { key: manifest(videoId, 1, name), rungs: [] } },
})
const doorAfter = (...events: ReadonlyArray<DomainEvent>) =>
  doorOf(events.reduce(evolvePlayback, noPlayback))

test("a published video gets its wider manifests when they are written, in either order of the streams", () => {
  const [first, all] = [packaged("main.m3u8"), packaged(EXTENDED.hls)]
  expect(doorAfter(created, first, published)).toEqual({ _tag: "Final", run: 1 })
  const extended = { _tag: "Final" as const, run: 1, isExtended: true as const }
  expect(doorAfter(created, first, published, all)).toEqual(extended)
  expect(doorAfter(first, all, created, published)).toEqual(extended)
})
