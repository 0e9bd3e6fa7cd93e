import { describe, expect, test } from "bun:test"
import { addressOf, pathOf } from "./address.ts"

const v = "/v/loc0123456789abcdef"
const asked = (rest: string) => addressOf(`${v}/${rest}`)?.asked

describe("an address", () => {
  test("names a list, a segment, its header or an image", () => {
    expect(asked("main.m3u8")).toEqual({ _tag: "Multivariant" })
    expect(asked("720p.m3u8")).toEqual({ _tag: "List", rung: "720p" })
    expect(asked("audio/0.m4s")).toEqual({ _tag: "Segment", rung: "audio", k: 0 })
    expect(asked("720p/init.mp4")).toEqual({ _tag: "Init", rung: "720p" })
    expect(asked("images/storyboard-1.jpg")).toEqual({ _tag: "Image", name: "storyboard-1.jpg" })
  })

  test("names a DASH manifest, a text, chapters, or a file to keep in any script", () => {
    expect(asked("manifest.mpd")).toEqual({ _tag: "Dash" })
    expect(asked("chapters.json")).toEqual({ _tag: "Chapters" })
    expect(asked("text-0/0.vtt")).toEqual({ _tag: "Text", track: "text-0" })
    expect(asked("a_b_720p.mp4")).toEqual({ _tag: "Download", title: "a_b", rung: "720p" })
    expect(asked(`${encodeURIComponent("바다/../x")}_540p-source.mp4`)).toEqual({
      ...{ _tag: "Download", title: "바다/../x", rung: "540p-source" },
    })
  })

  test("of any other form is nothing, however it climbs or is escaped", () => {
    for (const rest of [
      "",
      "../main.m3u8",
      "%2e%2e/main.m3u8",
      "720p/../../x.m4s",
      "720p/%30.m4s",
      "720p/00.m4s",
      "720p/-1.m4s",
      "720p/9999999.m4s",
      "720P.m3u8",
      "images/../../keys/owner",
      "images/a/b.jpg",
      "images/.jpg",
      "main.m3u8\u0000",
      "main.m3u8/",
      "main.m3u8\n",
      "constructor/0.m4s/",
      "text-0/1.vtt",
      "x_audio.mp4",
      "%ff_720p.mp4",
      "a/b_720p.mp4",
      `${"x".repeat(1600)}_720p.mp4`,
    ]) {
      expect(asked(rest)).toEqual({ _tag: "Nothing" })
    }
  })

  test("is of a video only when its id is well formed", () => {
    for (const path of [
      "/v/LOC0123456789abcdef/main.m3u8",
      "/v/loc0123456789abcde/main.m3u8",
      "/v/loc0123456789abcdei/main.m3u8",
      "/v//loc0123456789abcdef/main.m3u8",
      "/v/~token/loc0123456789abcdef/main.m3u8",
      "/v/..",
      "/",
    ]) {
      expect(addressOf(path)).toBeNull()
    }
  })

  test("is what stands between host and query", () => {
    expect(pathOf("http://edge:1/v/x?a=/b#c")).toBe("/v/x")
    expect(pathOf("http://edge")).toBe("/")
  })
})
