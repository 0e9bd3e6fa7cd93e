import { describe, expect, test } from "bun:test"
import { labelsOf, languageTag, safeTitle } from "./labels.ts"
import { complaintsIn, loudnessOf } from "./loudness.ts"
import { plannedSound } from "./sound-plan.ts"
import type { OpenedIndex, SoundTrack } from "./source-index.ts"

describe("a language", () => {
  test("is told as BCP 47, from either code of ISO 639-2", () => {
    const codes = ["eng", "ger", "deu", "fre", "chi", "kor", "fil", "pt-BR", "zh_hant"]
    expect(codes.map(languageTag)).toEqual([
      ...["en", "de", "de", "fr", "zh", "ko", "fil", "pt-BR", "zh-Hant"],
    ])
  })
  test("is none where nobody knows it, or what is written is no code", () => {
    const codes = ["und", "", "english please", '"><script>', undefined, "mul", "x".repeat(99)]
    expect(codes.map(languageTag)).toEqual(codes.map(() => null))
  })
})

describe("a title", () => {
  test("is one line of bounded length, and turns nothing around it", () => {
    expect(safeTitle("a\u0000b\n c\u202e d ")).toBe("a b c d")
    expect(safeTitle("x".repeat(500))).toHaveLength(100)
  })
  test("is none where it is empty", () => {
    expect(labelsOf(new Map([["tag:title", " "]])).title).toBeNull()
  })
})

describe("the renditions of a source's sound", () => {
  const track = (stream: number, channels: number): SoundTrack => ({
    ...{ stream, channels, at: [], size: [], endTicks: 0 },
    ...{ language: null, title: null, isDefault: false },
  })
  const namesOf = (...tracks: ReadonlyArray<SoundTrack>) => {
    const [audio = null, ...moreAudio] = tracks
    return plannedSound({ audio, moreAudio } as unknown as OpenedIndex).map(({ name }) => name)
  }
  test("are one per track, and 5.1 where there is that", () => {
    expect(namesOf()).toEqual([])
    expect(namesOf(track(1, 1))).toEqual(["audio"])
    expect(namesOf(track(1, 6), track(2, 2))).toEqual(["audio", "audio-1", "audio-51"])
    expect(namesOf(track(1, 2), track(2, 8))).toEqual(["audio", "audio-1", "audio-1-51"])
  })
  test("are eight at most, 5.1 of the default track among them", () => {
    const many = Array.from({ length: 12 }, (_, i) => track(i, 6))
    expect(namesOf(...many)).toHaveLength(8)
    expect(namesOf(...many)).toContain("audio-51")
  })
})

describe("the last words of the program", () => {
  const words = (name: string, peak: string) =>
    `[ebur128@${name} @ 0x5] [info] Summary:\n\n  Integrated loudness:\n    I:         -23.1 LUFS
    Threshold: -33.0 LUFS\n\n  Loudness range:\n    LRA:         6.5 LU\n    Threshold: -43.0 LUFS
    LRA low:   -27.0 LUFS\n    LRA high:  -20.5 LUFS\n\n  Sample peak:\n    Peak:       ${peak} dBFS
\n  True peak:\n    Peak:       -1.0 dBFS\n`
  test("tell each rendition's loudness under its name", () => {
    const told = `[info] title: LUFS\n${words("audio", "-1.2")}${words("audio-1", "0.3")}`
    expect(loudnessOf(told, "audio")).toEqual({
      ...{ integratedLufs: -23.1, truePeakDbtp: -1, rangeLu: 6.5 },
      ...{ isSilent: false, isClipped: false },
    })
    expect(loudnessOf(told, "audio-1")?.isClipped).toBe(true)
    expect(loudnessOf(told, "audio-2")).toBeNull()
  })
  test("are complaints only where they are marked so", () => {
    expect(complaintsIn("[info] [title] error\n[aac @ 0x1] [error] broken\nmore")).toBe(
      "[aac @ 0x1] [error] broken",
    )
  })
})
