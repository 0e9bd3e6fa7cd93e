import { describe, expect, test } from "bun:test"
import { TICKS } from "./facts.ts"
import { fixedGrid, keyGrid, segmentAt, soundGrid, targetDurationOf } from "./grid.ts"

const ticks = (...seconds: ReadonlyArray<number>) => seconds.map((second) => second * TICKS)
const frames = (seconds: number, perSecond: number) =>
  Array.from({ length: seconds * perSecond }, (_, i) => Math.round((i * TICKS) / perSecond))

describe("the fixed grid", () => {
  test("begins with two short segments and goes on with long ones", () => {
    expect(fixedGrid(frames(15, 25), 15 * TICKS)).toEqual(ticks(0, 2, 4, 8, 12))
  })
  test("joins a tail under a second to the segment before it", () => {
    expect(fixedGrid(frames(12, 25).concat(ticks(12, 12.5)), 12.9 * TICKS)).toEqual(
      ticks(0, 2, 4, 8),
    )
  })
  test("has no segment where there is no frame", () => {
    expect(fixedGrid(ticks(0, 1, 3, 11, 12, 13.5), 14 * TICKS)).toEqual(ticks(0, 3, 11, 12))
  })
  test("of a single picture is one segment", () => {
    expect(fixedGrid([0], 3600)).toEqual([0])
  })
  test("goes on where the sound outlasts the picture by a second", () => {
    expect(soundGrid(ticks(0, 2, 4), 6 * TICKS, 17 * TICKS)).toEqual(ticks(0, 2, 4, 6, 10, 14))
    expect(soundGrid(ticks(0, 2, 4), 6 * TICKS, 6.9 * TICKS)).toEqual(ticks(0, 2, 4))
    expect(soundGrid(ticks(0, 2, 4), 6 * TICKS, 5 * TICKS)).toEqual(ticks(0, 2, 4))
  })
  test("tells the segment of a time", () => {
    const grid = ticks(0, 2, 4, 8)
    expect([-5, 0, 1, 2, 3.9, 7, 8, 100].map((s) => segmentAt(grid, s * TICKS))).toEqual([
      0, 0, 0, 1, 1, 2, 3, 3,
    ])
  })
  test("promises a target duration that its longest segment keeps", () => {
    expect(targetDurationOf(ticks(0, 2, 4, 8), 12 * TICKS)).toBe(5)
    expect(targetDurationOf(ticks(0, 3, 11), 14 * TICKS)).toBe(8)
  })
})

describe("the grid of key frames", () => {
  test("takes those at least two seconds apart", () => {
    expect(keyGrid(ticks(0, 1, 2, 3.5, 4, 9), 12 * TICKS)).toEqual(ticks(0, 2, 4, 9))
  })
  test("is none where a gap is too long, the tail included", () => {
    expect(keyGrid(ticks(0, 1.5, 11), 12 * TICKS)).toBeNull()
    expect(keyGrid(ticks(0, 4), 15 * TICKS)).toBeNull()
    expect(keyGrid([], TICKS)).toBeNull()
  })
  test("joins a tail under a second", () => {
    expect(keyGrid(ticks(0, 7.145), 7.345 * TICKS)).toEqual(ticks(0))
  })
})
