import { describe, expect, test } from "bun:test"
import { AccountId, ChannelId, Timestamp, VideoId } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { spec } from "#domain/testing.ts"
import type { VideoEvent } from "./events.ts"
import { sniffImage } from "./still-image.ts"
import { video } from "./video.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const ofVideo = { videoId, at: Timestamp.make(1_700_000_000_000) }
const created: VideoEvent = {
  ...{ _tag: "VideoCreated", ...ofVideo, channelId: ChannelId.make("main") },
  accountId: AccountId.make("owner"),
  title: Sealed.make(`v1.owner.${"A".repeat(40)}`),
  ...{ description: null, visibility: "public" },
}
const image = "0123456789abcdef"
const picture = {
  key: `images/${videoId}/own/${image}-640.jpg`,
  width: 640,
  height: 360,
  files: [],
}
const second: VideoEvent = { _tag: "ThumbnailChosen", ...ofVideo, choice: 2 }
const uploaded: VideoEvent = { _tag: "ThumbnailUploaded", ...ofVideo, image, byteLength: 9 }
const made: VideoEvent = { _tag: "ThumbnailMade", ...ofVideo, image, picture }
const refused: VideoEvent = {
  ...{ _tag: "ThumbnailRefused", ...ofVideo, image, code: "unreadable_image" },
}
const show = { _tag: "ShowThumbnail", ...ofVideo, image, picture } as const

const { given } = spec(video)

describe("a thumbnail", () => {
  test("is chosen among the made ones, once", () => {
    given(created)
      .when({ _tag: "ChooseThumbnail", ...ofVideo, choice: 2 })
      .thenRecords(second)
    given(created, second)
      .when({ _tag: "ChooseThumbnail", ...ofVideo, choice: 2 })
      .thenNothing()
  })
  test("of one's own is shown once it has been made, and told once", () => {
    given(created, uploaded).when(show).thenRecords(made)
    given(created, uploaded, made).when(show).thenNothing()
  })
  test("that was made after another wish is not shown", () => {
    given(created, uploaded, second).when(show).thenNothing()
    given(created, uploaded, { ...uploaded, image: "fedcba9876543210" })
      .when(show)
      .thenNothing()
  })
  test("that is refused says why, and may be sent again", () => {
    given(created, uploaded)
      .when({ _tag: "RefuseThumbnail", ...ofVideo, image, code: "unreadable_image" })
      .thenRecords(refused)
    given(created, uploaded, refused)
      .when({ _tag: "UploadThumbnail", ...ofVideo, image, byteLength: 9 })
      .thenRecords(uploaded)
  })
})

test("an image is known by its first bytes alone", () => {
  const kindOf = (text: string) => sniffImage(Buffer.from(text, "latin1"))
  expect(kindOf("\xff\xd8\xff\xe0")).toBe("jpeg")
  expect(kindOf("\x89PNG\r\n\x1a\n")).toBe("png")
  expect(kindOf("RIFF\0\0\0\0WEBPVP8 ")).toBe("webp")
  expect(kindOf("\0\0\0\x1cftypavif\0\0\0\0avifmif1")).toBe("avif")
  expect(kindOf("\0\0\0\x1cftypmif1\0\0\0\0avifmif1")).toBe("avif")
  expect(kindOf("\0\0\0\x1cftypmp42\0\0\0\0isom")).toBeNull()
  expect(kindOf("<svg xmlns='http://www.w3.org/2000/svg'/>")).toBeNull()
  expect(kindOf("")).toBeNull()
})
