import { describe, expect, test } from "bun:test"
import { TICKS } from "./facts.ts"
import { copiedRung, encodedInstead, ladder, levelOf, offered, worthOffering } from "./ladder.ts"

const names = (width: number, height: number) =>
  ladder({ width, height, framesPerSecond: 30 }).map(({ name }) => name)

describe("the ladder", () => {
  test("ends with the source's own size and never above it", () => {
    expect(names(1920, 1080)).toEqual(["240p", "360p", "480p", "720p", "1080p"])
    expect(names(1280, 720)).toEqual(["240p", "360p", "480p", "720p"])
    expect(names(960, 540)).toEqual(["240p", "360p", "540p"])
    expect(names(320, 180)).toEqual(["180p"])
    expect(names(2, 2)).toEqual(["2p"])
  })
  test("has seven rungs at most, and none above 2160", () => {
    expect(names(7680, 4320)).toEqual(["240p", "360p", "480p", "720p", "1080p", "1440p", "2160p"])
  })
  test("names rungs of a portrait by their short side", () => {
    expect(ladder({ width: 1080, height: 1920, framesPerSecond: 60 }).at(-2)).toEqual({
      name: "720p",
      group: "r4",
      width: 720,
      height: 1280,
      maxBitsPerSecond: 4_200_000,
      codecs: "avc1.640020",
    })
  })
  test("numbers its groups from the lowest rung", () => {
    expect(
      ladder({ width: 640, height: 360, framesPerSecond: 24 }).map(({ group }) => group),
    ).toEqual(["r1", "r2", "r3"])
  })
  test("asks for the level its size and rate need", () => {
    expect(levelOf({ width: 854, height: 480, framesPerSecond: 30 }, 1_400_000)).toBe(31)
    expect(levelOf({ width: 1920, height: 1080, framesPerSecond: 30 }, 5_000_000)).toBe(40)
    expect(levelOf({ width: 1920, height: 1080, framesPerSecond: 60 }, 7_500_000)).toBe(42)
    expect(levelOf({ width: 426, height: 240, framesPerSecond: 60 }, 600_000)).toBe(30)
  })
})

describe("a rung", () => {
  const rates = { "144p": 68, "240p": 90, "360p": 121, "480p": 200, "720p": 335 }
  const keptOf = (kilobits: Readonly<Record<string, number>>) =>
    worthOffering(
      Object.entries(kilobits).map(([rung, rate]) => ({ rung, bitsPerSecond: rate * 1000 })),
    )

  test("is dropped when its measured rate is near the next larger one's, the lowest never", () => {
    expect(keptOf(rates)).toEqual(["144p", "480p", "720p"])
    expect(keptOf({ "144p": 90, "240p": 100, "360p": 200 })).toEqual(["144p", "360p"])
    expect(keptOf({ "144p": 90, "240p": 100 })).toEqual(["144p", "240p"])
    expect(keptOf({ "144p": 90 })).toEqual(["144p"])
  })

  const rungs = ladder({ width: 1280, height: 720, framesPerSecond: 25 })
  const segments = (kilobits: number) =>
    [0, 1, 2].map((k) => ({ k, duration: 2 * TICKS, bytes: kilobits * 250 }))

  test("is dropped once every rung has its first segments, and not before", () => {
    const kilobits = [90, 121, 200, 335]
    const all = (name: string) => segments(kilobits[rungs.findIndex((it) => it.name === name)] ?? 0)
    expect(offered(rungs, all)?.map(({ name }) => name)).toEqual(["240p", "480p", "720p"])
    expect(
      offered(rungs, (name) => (name === "720p" ? all(name).slice(0, 1) : all(name))),
    ).toBeNull()
  })

  test("is kept where the first pictures hardly move", () => {
    expect(offered(rungs, () => segments(12))).toEqual(rungs)
  })
})

test("a copied rung has a name of its own, and what it is encoded as instead", () => {
  const [, top] = ladder({ width: 320, height: 240, framesPerSecond: 30 })
  if (top === undefined) throw new Error("the ladder has two rungs")
  const copied = copiedRung(top, { codecs: "avc1.4D4015", peakBitsPerSecond: 123_000 })
  expect(copied).toMatchObject({
    ...{ name: "240p-source", group: "r2", width: 320, height: 240 },
    ...{ maxBitsPerSecond: 123_000, codecs: "avc1.4D4015" },
  })
  expect(encodedInstead(copied)).toEqual(top)
  expect(encodedInstead(top)).toEqual(top)
})
