import { describe, expect, test } from "bun:test"
import { types as hls, parse } from "hls-parser"
import { type Rung, TICKS } from "./facts.ts"
import { mediaList, multivariantList } from "./playlist.ts"

const rung: Rung = {
  name: "720p",
  group: "r3",
  width: 1280,
  height: 720,
  maxBitsPerSecond: 2_800_000,
  codecs: "avc1.64001f",
}
const sound = { codecs: "mp4a.40.2", channels: 2, bitsPerSecond: 128_000 }
const variant = { rung, framesPerSecond: 30_000 / 1001, peakBitsPerSecond: 2_800_000 }

const readMultivariant = (text: string) => {
  const list = parse(text)
  if (!(list instanceof hls.MasterPlaylist)) throw new Error("not a multivariant playlist")
  return list
}
const readMedia = (text: string) => {
  const list = parse(text)
  if (!(list instanceof hls.MediaPlaylist)) throw new Error("not a media playlist")
  return list
}

describe("a multivariant playlist", () => {
  test("counts the sound into the bandwidth and names both codecs", () => {
    const [read] = readMultivariant(multivariantList([variant], sound)).variants
    expect(read?.bandwidth).toBe(2_928_000)
    expect(read?.codecs).toBe("avc1.64001f,mp4a.40.2")
    expect(read?.resolution).toEqual({ width: 1280, height: 720 })
    expect(read?.frameRate).toBe(29.97)
    expect(read?.uri).toBe("720p.m3u8")
    expect(read?.audio.map(({ uri }) => uri)).toEqual(["audio.m3u8"])
  })

  test("of a silent video names no sound", () => {
    const text = multivariantList([{ ...variant, averageBitsPerSecond: 2_000_000 }], null)
    const [read] = readMultivariant(text).variants
    expect(text).not.toContain("AUDIO")
    expect(read?.averageBandwidth).toBe(2_000_000)
    expect(read?.codecs).toBe("avc1.64001f")
  })
})

describe("a media playlist", () => {
  const segments = [
    { k: 0, duration: 2 * TICKS },
    { k: 1, duration: 3003 * 60 },
  ]

  test("that grows is an event without an end", () => {
    const list = readMedia(mediaList({ name: "720p", targetDuration: 4, segments, isWhole: false }))
    expect(list.playlistType).toBe("EVENT")
    expect(list.endlist).toBe(false)
    expect(list.targetDuration).toBe(4)
    expect(list.segments.map(({ uri }) => uri)).toEqual(["720p/0.m4s", "720p/1.m4s"])
    expect(list.segments.map(({ duration }) => duration)).toEqual([2, 2.002])
    expect(list.segments[0]?.map?.uri).toBe("720p/init.mp4")
  })

  test("that is whole says that nothing more will come", () => {
    const list = readMedia(mediaList({ name: "audio", targetDuration: 4, segments, isWhole: true }))
    expect(list.playlistType).toBe("VOD")
    expect(list.endlist).toBe(true)
  })
})
