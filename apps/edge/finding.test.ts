import { expect, test } from "bun:test"
import { VideoId } from "#domain/ids.ts"
import { addressOf } from "./address.ts"
import { find } from "./finding.ts"

const videoId = VideoId.make("loc0123456789abcdef")
const found = (name: string, run: number) => {
  const address = addressOf(`/v/${videoId}/images/${name}`)
  return address && find({ _tag: "Final", run } as never, address)
}

test("an image of the owner's is the same whichever run is watched; a run's own is not", () => {
  const own = `images/${videoId}/own/0123456789abcdef-640.webp`
  for (const run of [1, 2]) {
    expect(found("0123456789abcdef-640.webp", run)).toMatchObject({ _tag: "Object", key: own })
    const made = `images/${videoId}/${run}/1-640.webp`
    expect(found("1-640.webp", run)).toMatchObject({ _tag: "Object", key: made })
  }
})

test("an image of the owner's is closed with the video", () => {
  const address = addressOf(`/v/${videoId}/images/0123456789abcdef-640.jpg`)
  const closed = { _tag: "Closed", reason: "copyright" } as never
  expect(address && find(closed, address)).toMatchObject({ code: "video_taken_down" })
})
