import { describe, expect, test } from "bun:test"
import { parse } from "mpd-parser"
import { type DashPresentation, dashManifest } from "./dash.ts"
import { type Rung, type Segment, TICKS } from "./facts.ts"
import type { Sound } from "./presentation.ts"

const rung = (name: string, height: number): Rung => ({
  ...{ name, group: "r1", width: (height * 16) / 9, height },
  ...{ maxBitsPerSecond: height * 2000, codecs: "avc1.64001f" },
})
const sound: Sound = {
  name: "audio",
  group: "stereo",
  language: "en",
  title: 'Director & "crew" <cut>',
  isDefault: true,
  codecs: "mp4a.40.2",
  channels: 2,
  bitsPerSecond: 128_000,
}
const rowOf = (...seconds: ReadonlyArray<number>): ReadonlyArray<Segment> => {
  let start = 0
  return seconds.map((length, k) => {
    const segment = { k, start, duration: length * TICKS, bytes: 1000 }
    start += length * TICKS
    return segment
  })
}
const rows: Readonly<Record<string, ReadonlyArray<Segment>>> = {
  "360p": rowOf(2, 2, 4, 4, 1.5),
  "720p": rowOf(2, 2, 4, 4, 1.5),
  audio: rowOf(2.005, 1.995, 4, 4, 1.48),
  "audio-51": rowOf(2.005, 1.995, 4, 4, 1.48),
}
const whole: DashPresentation = {
  variants: [rung("360p", 360), rung("720p", 720)].map((its) => ({
    ...{ rung: its, framesPerSecond: 30_000 / 1001, peakBitsPerSecond: its.maxBitsPerSecond },
  })),
  sounds: [sound, { ...sound, name: "audio-51", group: "surround", channels: 6, title: null }],
  texts: [
    {
      ...{ name: "text-0", kind: "captions", language: "ko", title: null },
      ...{ isDefault: false, isForced: false, bytes: 900 },
    },
  ],
  segmentsOf: (name) => rows[name] ?? [],
  targetDuration: 4,
  growth: null,
}
const manifestUri = "https://edge/v/~token/loc0123456789abcdef/manifest.mpd"
const read = (presentation: Partial<DashPresentation> = {}) =>
  parse(dashManifest({ ...whole, ...presentation }), { manifestUri })

describe("a DASH manifest", () => {
  test("of a whole video names the same segments as the playlists, at the same times", () => {
    const { playlists, duration } = read()
    expect(playlists[0]?.endList).toBe(true)
    expect(duration).toBe(13.5)
    expect(playlists.map(({ attributes }) => attributes.NAME)).toEqual(["360p", "720p"])
    const [low] = playlists
    expect(low?.attributes.RESOLUTION).toEqual({ width: 640, height: 360 })
    expect(low?.attributes.BANDWIDTH).toBe(720_000)
    expect(low?.attributes.CODECS).toBe("avc1.64001f")
    expect(low?.attributes["FRAME-RATE"]).toBeCloseTo(29.97, 3)
    expect(low?.segments.map(({ uri }) => uri)).toEqual([0, 1, 2, 3, 4].map((k) => `360p/${k}.m4s`))
    expect(low?.segments.map((segment) => segment.presentationTime)).toEqual([0, 2, 4, 8, 12])
    expect(low?.segments.map((segment) => segment.duration)).toEqual([2, 2, 4, 4, 1.5])
    expect(low?.segments[0]?.map.uri).toBe("360p/init.mp4")
    expect(low?.segments[0]?.resolvedUri).toStartWith("https://edge/v/~token/")
  })

  test("has a set for each sound and each text, whatever a source calls them", () => {
    const { mediaGroups } = read()
    const sounds = Object.values(mediaGroups.AUDIO.audio ?? {})
    expect(sounds.flatMap(({ playlists }) => playlists.map((it) => it.attributes.NAME))).toEqual([
      "audio",
      "audio-51",
    ])
    expect(sounds[0]?.language).toBe("en")
    const [text] = Object.values(mediaGroups.SUBTITLES.subs ?? {})
    expect(text?.language).toBe("ko")
    expect(
      text?.playlists[0]?.segments[0]?.resolvedUri ?? text?.playlists[0]?.resolvedUri,
    ).toEndWith("/text-0/0.vtt")
    const written = dashManifest(whole)
    expect(written).toContain("<Label>Director &amp; &quot;crew&quot; &lt;cut&gt;</Label>")
    expect(written).toContain('ChannelConfiguration" value="6"')
  })

  test("that grows is asked for again, and nothing it names lies in the future", () => {
    const playableAt = Date.parse("2026-01-02T03:04:05Z")
    const growth = { playableAt, durationTicks: 13.5 * TICKS }
    const { minimumUpdatePeriod, playlists } = read({ growth })
    expect(playlists[0]?.endList).toBe(false)
    expect(minimumUpdatePeriod).toBe(2000)
    expect(playlists[0]?.segments).toHaveLength(5)
    expect(dashManifest({ ...whole, growth })).toContain(
      'availabilityStartTime="2026-01-02T03:03:51.500Z"',
    )
  })

  test("names segments one by one where their numbers have a hole", () => {
    const holed = rowOf(2, 2, 4).map((segment) => ({ ...segment, k: segment.k * 2 }))
    const { playlists } = read({ segmentsOf: () => holed })
    expect(playlists[0]?.segments.map(({ uri }) => uri)).toEqual([
      "360p/0.m4s",
      "360p/2.m4s",
      "360p/4.m4s",
    ])
  })

  test("keeps rungs of another codec in a set of their own", () => {
    const variants = [...whole.variants].map((variant, i) =>
      i === 0 ? variant : { ...variant, rung: { ...variant.rung, codecs: "hvc1.1.6.L93.B0" } },
    )
    expect(dashManifest({ ...whole, variants }).match(/contentType="video"/g)).toHaveLength(2)
  })
})
