import { describe, expect, test } from "bun:test"
import { avc1, decodeTimes, initOf, type Sample, segmentOf, VIDEO_DELAY } from "./cmaf.ts"
import { configurationIn, readFragments } from "./fragments.ts"

const samples = (...times: ReadonlyArray<number>): ReadonlyArray<Sample> =>
  times.map((pts, i) => ({ pts, isKey: i === 0, data: Buffer.from([i, i, i]) }))

const configuration = Buffer.from("0164001effe1", "hex")
const init = initOf({
  entry: avc1(640, 360, configuration),
  timescale: 90_000,
  delay: VIDEO_DELAY,
  size: { width: 640, height: 360 },
})

describe("a segment", () => {
  test("is read back with the times, keys and bytes it was made of", () => {
    const reordered = samples(180_000, 189_000, 183_000, 186_000)
    const read = readFragments(Buffer.concat([init, segmentOf(1, reordered, 192_000, VIDEO_DELAY)]))
    expect(read?.samples.map(({ pts, isKey }) => [pts, isKey])).toEqual([
      [180_000, true],
      [189_000, false],
      [183_000, false],
      [186_000, false],
    ])
    expect(read?.samples.map(({ data }) => data[0])).toEqual([0, 1, 2, 3])
    expect(configurationIn(read?.entry ?? Buffer.alloc(0), "avcC")).toEqual(configuration)
  })
})

describe("decode times", () => {
  test("are the times in order while the delay carries the reordering", () => {
    expect(decodeTimes(samples(0, 9000, 3000, 6000), VIDEO_DELAY)).toEqual([0, 3000, 6000, 9000])
  })
  test("are pulled down, increasing and never before the first time, where it does not", () => {
    const wide = samples(0, 180_000, 90_000, 36_000, 54_000)
    expect(decodeTimes(wide, VIDEO_DELAY)).toEqual([0, 36_000, 53_999, 54_000, 72_000])
  })
})
