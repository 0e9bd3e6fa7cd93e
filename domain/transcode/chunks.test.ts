import { describe, expect, test } from "bun:test"
import { firstGroups, makes, planPieces } from "./chunks.ts"
import { TICKS } from "./facts.ts"
import { fixedGrid } from "./grid.ts"

const timeline = (seconds: number, keyEvery: number) => {
  const frames = Array.from({ length: seconds * 25 }, (_, i) => i * 3600)
  const end = seconds * TICKS
  const keys = frames.filter((tick) => tick % (keyEvery * TICKS) === 0)
  return { grid: fixedGrid(frames, end), end, frames, keys }
}
const lengths = (seconds: number, keyEvery: number) =>
  planPieces(timeline(seconds, keyEvery), []).map(({ from, to }) => (to - from) / TICKS)

describe("pieces", () => {
  test("are the first two segments, then about eight seconds each", () => {
    expect(lengths(40, 2)).toEqual([2, 2, 8, 8, 8, 12])
  })
  test("partition the frames", () => {
    for (const [seconds, keyEvery] of [
      [1, 1],
      [3, 1],
      [7, 10],
      [60, 10],
      [90, 30],
      [301, 1000],
    ] as const) {
      const { frames, end, ...rest } = timeline(seconds, keyEvery)
      const pieces = planPieces({ frames, end, ...rest }, ["r1"])
      expect(pieces.map(({ from }) => from).slice(1)).toEqual(
        pieces.map(({ to }) => to).slice(0, -1),
      )
      expect(pieces.at(-1)?.to).toBe(end)
      expect(pieces.reduce((sum, piece) => sum + piece.frames, 0)).toBe(frames.length)
      expect(pieces.every(({ from, keyPts }) => keyPts <= from)).toBe(true)
    }
  })
  test("double where there is one key frame only, so that each pays for its lead-in", () => {
    expect(lengths(300, 1000)).toEqual([2, 2, 4, 8, 16, 32, 64, 128, 44])
  })
  test("are first made in the rung that can be watched soonest, and in the rest at once", () => {
    const [low, top] = [{ group: "r1" }, { group: "r2" }]
    const copied = { instead: { name: "720p", maxBitsPerSecond: 1, codecs: "avc1" } }
    expect(firstGroups([low, top])).toEqual(["r1", "all"])
    expect(firstGroups([low, { ...top, copied }])).toEqual(["r2", "all"])
    expect(firstGroups([{ ...low, copied }])).toEqual(["r1"])
  })
  test("are made once, whatever groups they name", () => {
    const madeBy = (own: string | undefined, groups: ReadonlyArray<string>) =>
      ["r1", "r2", "r3"].filter((rung) => makes(own, { groups }, rung))
    expect(["r1", "r2", "r3"].map((own) => madeBy(own, ["r1", "r2", "r3"]))).toEqual([
      ["r1"],
      ["r2"],
      ["r3"],
    ])
    expect(["r3", "all"].map((own) => madeBy(own, ["r3", "all"]))).toEqual([["r3"], ["r1", "r2"]])
    expect(madeBy("all", ["all"])).toEqual(["r1", "r2", "r3"])
    expect(madeBy(undefined, ["r3", "all"])).toEqual(["r1", "r2", "r3"])
  })
  test("name a group per rung first, and all rungs later", () => {
    expect(planPieces(timeline(30, 2), ["r1", "r2"]).map(({ groups }) => groups)).toEqual([
      ["r1", "r2"],
      ["r1", "r2"],
      ["all"],
      ["all"],
      ["all"],
    ])
  })
})
