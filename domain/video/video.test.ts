import { describe, test } from "bun:test"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { spec } from "#domain/testing.ts"
import type { VideoEvent } from "./events.ts"
import {
  RequestDiffers,
  VideoClosed,
  VideoHasFailed,
  VideoNotFound,
  VideoNotPublished,
  video,
} from "./video.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const at = Timestamp.make(1_700_000_000_000)
const ofVideo = { videoId, at }
const transcode = `${videoId}.1`
const made = {
  ...ofVideo,
  channelId: ChannelId.make("main"),
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  description: null,
  visibility: "public",
  request: "abc",
} as const
const created: VideoEvent = { _tag: "VideoCreated", ...made }
const playable: VideoEvent = { _tag: "VideoPlayable", ...ofVideo, transcode }
const published: VideoEvent = { _tag: "VideoPublished", ...ofVideo, transcode }
const failed: VideoEvent = { _tag: "VideoFailed", ...ofVideo, code: "not_a_video" }
const takenDown: VideoEvent = {
  _tag: "VideoTakenDown",
  ...ofVideo,
  reason: "copyright",
  actor: "owner",
}
const reinstated: VideoEvent = { _tag: "VideoReinstated", ...ofVideo, actor: "owner" }

const { given } = spec(video)

describe("a request for a video", () => {
  test("makes it", () => {
    given()
      .when({ _tag: "CreateVideo", ...made })
      .thenRecords(created)
  })
  test("that is repeated records nothing new", () => {
    given(created)
      .when({ _tag: "CreateVideo", ...made })
      .thenNothing()
  })
  test("under a key that was used for another one is rejected", () => {
    given(created)
      .when({ _tag: "CreateVideo", ...made, request: "other" })
      .thenRejects(new RequestDiffers({ videoId }))
  })
})

describe("further renditions", () => {
  const extended = (run: number): VideoEvent => ({
    ...{ _tag: "VideoExtended", ...ofVideo, transcode: `${videoId}.${run}` },
  })
  const extend = (run: number) => ({
    ...{ _tag: "ExtendVideo" as const, ...ofVideo, transcode: `${videoId}.${run}` },
  })

  test("are told once, whether or not the publication has been", () => {
    given(created).when(extend(1)).thenRecords(extended(1))
    given(created, published, extended(1)).when(extend(1)).thenNothing()
    given(created, published, takenDown).when(extend(1)).thenRecords(extended(1))
  })
  test("of an earlier run come too late", () => {
    given(created, extended(1)).when(extend(2)).thenRecords(extended(2))
    given(created, extended(2)).when(extend(1)).thenNothing()
  })
})

describe("a milestone", () => {
  test("makes the video playable, then published", () => {
    given(created)
      .when({ _tag: "MarkPlayable", ...ofVideo, transcode })
      .thenRecords(playable)
    given(created, playable)
      .when({ _tag: "PublishVideo", ...ofVideo, transcode })
      .thenRecords(published)
  })
  test("that arrives twice or late changes nothing", () => {
    given(created, playable, published)
      .when({ _tag: "PublishVideo", ...ofVideo, transcode })
      .thenNothing()
    given(created, published)
      .when({ _tag: "MarkPlayable", ...ofVideo, transcode })
      .thenNothing()
    given(created, published)
      .when({ _tag: "FailVideo", ...ofVideo, code: "late" })
      .thenNothing()
  })
  test("of a later run is told again", () => {
    given(created, playable, takenDown, reinstated)
      .when({ _tag: "MarkPlayable", ...ofVideo, transcode: `${videoId}.2` })
      .thenRecords({ ...playable, transcode: `${videoId}.2` })
  })
  test("does not open a video that was taken down", () => {
    given(created, takenDown)
      .when({ _tag: "PublishVideo", ...ofVideo, transcode })
      .thenRejects(new VideoClosed({ videoId }))
  })
  test("of playing does not bring back a failed video", () => {
    given(created, failed)
      .when({ _tag: "MarkPlayable", ...ofVideo, transcode })
      .thenRejects(new VideoHasFailed({ videoId, code: "not_a_video" }))
  })
})

describe("renditions made anew", () => {
  const { channelId } = made
  const order = { _tag: "RequestRenditions", ...ofVideo, channelId, actor: "owner" } as const
  const requested: VideoEvent = {
    ...{ _tag: "RenditionsRequested", ...ofVideo, channelId, transcode, actor: "owner" },
  }
  test("are asked for of a published video that can be watched", () => {
    given(created, published).when(order).thenRecords(requested)
    given(created, playable).when(order).thenRejects(new VideoNotPublished({ videoId }))
    given(created, published, takenDown).when(order).thenRejects(new VideoClosed({ videoId }))
  })
  test("take the place of those before, never the other way round", () => {
    const later = `${videoId}.2`
    given(created, published, requested)
      .when({ _tag: "PublishVideo", ...ofVideo, transcode: later })
      .thenRecords({ ...published, transcode: later })
    given(created, published, requested)
      .when({ _tag: "FailVideo", ...ofVideo, code: "too_expensive" })
      .thenNothing()
    given(created, published, requested, { ...published, transcode: later })
      .when({ _tag: "PublishVideo", ...ofVideo, transcode })
      .thenNothing()
  })
})

describe("a takedown", () => {
  test("closes a video whatever it was doing", () => {
    const order = {
      _tag: "TakeDownVideo",
      ...ofVideo,
      reason: "copyright",
      actor: "owner",
    } as const
    given(created).when(order).thenRecords(takenDown)
    given(created, published).when(order).thenRecords(takenDown)
  })
  test("that is repeated records nothing new", () => {
    given(created, takenDown)
      .when({ _tag: "TakeDownVideo", ...ofVideo, reason: "spam", actor: "owner" })
      .thenNothing()
  })
  test("can be undone, once", () => {
    given(created, published, takenDown)
      .when({ _tag: "ReinstateVideo", ...ofVideo, actor: "owner" })
      .thenRecords(reinstated)
    given(created, published)
      .when({ _tag: "ReinstateVideo", ...ofVideo, actor: "owner" })
      .thenNothing()
  })
  test("of a video nobody made is rejected", () => {
    given()
      .when({ _tag: "TakeDownVideo", ...ofVideo, reason: "copyright", actor: "owner" })
      .thenRejects(new VideoNotFound({ videoId }))
  })
})
