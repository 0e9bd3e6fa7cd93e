import { describe, expect, test } from "bun:test"
import { levelIn, publishedRungs, rungIn, rungsIn } from "./codecs.ts"
import { Codec, type Rung } from "./facts.ts"
import { copiedRung, ladder } from "./ladder.ts"

const source = { width: 1920, height: 1080, framesPerSecond: 30 }
const rungs = ladder(source)
const top = rungs.at(-1) as Rung

describe("a rung in another codec", () => {
  test("has the size of its model, a name of its own and the level that carries it", () => {
    const told = Codec.literals.map((codec) => {
      const { name, width, height, codecs } = rungIn(codec, top, 30)
      return [name, width, height, codecs]
    })
    expect(told).toEqual([
      ["1080p-vp9", 1920, 1080, "vp09.00.40.08"],
      ["1080p-hevc", 1920, 1080, "hvc1.1.6.L120.90"],
      ["1080p-av1", 1920, 1080, "av01.0.08M.08"],
    ])
  })

  test("tells its encoder the level that its name tells a player", () => {
    for (const codec of Codec.literals) expect(levelIn(rungIn(codec, top, 30))).toBe(40)
    expect(levelIn(rungIn("av1", top, 60))).toBe(41)
  })

  test("is named as what is encoded, where the model is a copy", () => {
    const copied = copiedRung(top, { codecs: "avc1.640028", peakBitsPerSecond: 9_000_000 })
    expect(rungIn("av1", copied, 30)).toEqual(rungIn("av1", top, 30))
  })
})

test("no rung is made above 1080 lines, or too small for the encoder", () => {
  const large = ladder({ width: 3840, height: 2160, framesPerSecond: 30 })
  expect(rungsIn("av1", large, 30).at(-1)?.height).toBe(1080)
  expect(rungsIn("av1", large, 30, 500).at(-1)?.height).toBe(480)
  const small = ladder({ width: 32, height: 18, framesPerSecond: 25 })
  expect(rungsIn("av1", small, 25)).toEqual([])
  expect(rungsIn("vp9", small, 25)).toHaveLength(1)
})

test("the published ladder is what the manifest names: a refused copy under its other name", () => {
  const copied = copiedRung(top, { codecs: "avc1.640028", peakBitsPerSecond: 9_000_000 })
  const told = (...names: ReadonlyArray<string>) =>
    publishedRungs([...rungs.slice(0, -1), copied], {
      key: "",
      rungs: names.map((rung) => ({
        ...{ rung, averageBitsPerSecond: 1, peakBitsPerSecond: 1, segmentCount: 1, bytes: 1 },
      })),
    }).map(({ name }) => name)
  expect(told("240p", "1080p-source")).toEqual(["240p", "1080p-source"])
  expect(told("240p", "1080p")).toEqual(["240p", "1080p"])
})
