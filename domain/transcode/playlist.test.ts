import { describe, expect, test } from "bun:test"
import { types as hls, parse } from "hls-parser"
import { type Rung, type TextTrack, TICKS } from "./facts.ts"
import { keysList, mediaList, multivariantList, textList } from "./playlist.ts"
import type { Presentation, Sound } from "./presentation.ts"

const rung: Rung = {
  name: "720p",
  group: "r3",
  width: 1280,
  height: 720,
  maxBitsPerSecond: 2_800_000,
  codecs: "avc1.64001f",
}
const english: Sound = {
  name: "audio",
  group: "stereo",
  language: "en",
  title: null,
  isDefault: true,
  codecs: "mp4a.40.2",
  channels: 2,
  bitsPerSecond: 128_000,
}
const englishWide: Sound = {
  ...english,
  name: "audio-51",
  group: "surround",
  channels: 6,
  bitsPerSecond: 384_000,
}
const korean: Sound = { ...english, name: "audio-1", language: "ko", isDefault: false }
const subtitles: TextTrack = {
  name: "text-0",
  kind: "subtitles",
  language: "de",
  title: 'Für "alle"\nimmer',
  isDefault: true,
  isForced: false,
  bytes: 900,
}
const variant = { rung, framesPerSecond: 30_000 / 1001, peakBitsPerSecond: 2_800_000 }
const silent: Presentation = {
  variants: [variant],
  sounds: [],
  texts: [],
  keyPictures: null,
  hasChapters: false,
}

const readMultivariant = (presentation: Partial<Presentation>) => {
  const list = parse(multivariantList({ ...silent, ...presentation }))
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
    const [read] = readMultivariant({ sounds: [english] }).variants
    expect(read?.bandwidth).toBe(2_928_000)
    expect(read?.codecs).toBe("avc1.64001f,mp4a.40.2")
    expect(read?.resolution).toEqual({ width: 1280, height: 720 })
    expect(read?.frameRate).toBe(29.97)
    expect(read?.uri).toBe("720p.m3u8")
    expect(read?.audio.map(({ uri }) => uri)).toEqual(["audio.m3u8"])
  })

  test("of a silent video names no sound", () => {
    const variants = [{ ...variant, averageBitsPerSecond: 2_000_000 }]
    const [read] = readMultivariant({ variants }).variants
    expect(multivariantList(silent)).not.toContain("AUDIO")
    expect(read?.averageBandwidth).toBe(2_000_000)
    expect(read?.codecs).toBe("avc1.64001f")
  })

  test("has every language in stereo and in surround, where one is only there in stereo", () => {
    const { variants } = readMultivariant({ sounds: [english, englishWide, korean] })
    expect(variants.map(({ bandwidth }) => bandwidth)).toEqual([2_928_000, 3_184_000])
    const told = variants.map(({ audio }) =>
      audio.map(({ groupId, uri, name, language, channels, isDefault }) =>
        [groupId, uri, name, language, channels, isDefault ?? false].join(" "),
      ),
    )
    expect(told).toEqual([
      ["stereo audio.m3u8 English en 2 true", "stereo audio-1.m3u8 한국어 ko 2 false"],
      ["surround audio-51.m3u8 English en 6 true", "surround audio-1.m3u8 한국어 ko 2 false"],
    ])
  })

  test("of surround alone has one group", () => {
    const { variants } = readMultivariant({ sounds: [englishWide] })
    expect(variants.map(({ audio }) => audio.map(({ groupId }) => groupId))).toEqual([["surround"]])
  })

  test("gives tracks of one name different names", () => {
    const sounds = [english, { ...english, name: "audio-1", isDefault: false }]
    const [read] = readMultivariant({ sounds }).variants
    expect(read?.audio.map(({ name }) => name)).toEqual(["English", "English 2"])
  })

  test("names texts, whatever a source wrote into their titles", () => {
    const texts: ReadonlyArray<TextTrack> = [
      subtitles,
      { ...subtitles, name: "text-1", kind: "captions", title: null, language: 'x",URI="y' },
      { ...subtitles, name: "text-2", title: null, isForced: true },
    ]
    const [read] = readMultivariant({ texts }).variants
    const told = read?.subtitles.map(({ uri, name, language, forced, isDefault }) => ({
      ...{ uri, name, language, forced: forced ?? false, isDefault: isDefault ?? false },
    }))
    expect(told).toEqual([
      {
        ...{ uri: "text-0.m3u8", name: "Für ”alle” immer", language: "de" },
        ...{ forced: false, isDefault: true },
      },
      {
        ...{ uri: "text-1.m3u8", name: "captions", language: undefined },
        ...{ forced: false, isDefault: false },
      },
      {
        ...{ uri: "text-2.m3u8", name: "Deutsch", language: "de" },
        ...{ forced: true, isDefault: false },
      },
    ])
    expect(read?.subtitles[1]?.characteristics).toContain("transcribes-spoken-dialog")
  })

  test("points to key pictures and chapters where there are some", () => {
    const keyPictures = { rung, bitsPerSecond: 90_000 }
    const list = readMultivariant({ keyPictures, hasChapters: true })
    const keys = list.variants.find(({ isIFrameOnly }) => isIFrameOnly)
    expect(keys?.uri).toBe("720p-keys.m3u8")
    expect(keys?.bandwidth).toBe(90_000)
    expect(list.sessionDataList[0]?.uri).toBe("chapters.json")
  })
})

describe("a media playlist", () => {
  const segments = [
    { k: 0, start: 0, duration: 2 * TICKS, bytes: 900 },
    { k: 1, start: 2 * TICKS, duration: 3003 * 60, bytes: 800 },
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

  test("of text is one file as long as the video", () => {
    const list = readMedia(textList("text-0", 7.5 * TICKS))
    expect(list.segments.map(({ uri, duration }) => [uri, duration])).toEqual([
      ["text-0/0.vtt", 7.5],
    ])
    expect(list.targetDuration).toBe(8)
  })

  test("of key pictures names the first bytes of each segment, and lasts as long as the video", () => {
    const list = readMedia(keysList("720p", segments))
    expect(list.isIFrame).toBe(true)
    expect(list.segments.map(({ uri }) => uri)).toEqual(["720p/0.m4s", "720p/1.m4s"])
    expect(list.segments.map(({ byterange }) => byterange)).toEqual([
      { offset: 0, length: 900 },
      { offset: 0, length: 800 },
    ])
    expect(list.segments.map(({ duration }) => duration)).toEqual([2, 2.002])
  })
})
