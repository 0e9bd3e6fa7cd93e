import { describe, expect, test } from "bun:test"
import { chooseBest, look, type SmallFrame } from "./picture-scores.ts"

const width = 96
const height = 54

/** Lights by place, without colour. */
const frame = (at: number, light: (x: number, y: number) => number): SmallFrame => {
  const planes = new Uint8Array((width * height * 3) / 2).fill(128)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) planes[y * width + x] = light(x, y)
  }
  return { at, width, height, planes }
}

/** Boxes of different lights, the same every time. */
const boxes = (seed: number) => (x: number, y: number) =>
  40 + (((Math.floor(x / 6) * 7919 + Math.floor(y / 6) * 104_729 + seed * 31) % 97) * 170) / 97
const blurred =
  (light: (x: number, y: number) => number, radius: number) => (x: number, y: number) => {
    let sum = 0
    for (let dx = -radius; dx <= radius; dx += 1) {
      for (let dy = -radius; dy <= radius; dy += 1) sum += light(x + dx + 60, y + dy + 60)
    }
    return sum / (2 * radius + 1) ** 2
  }

const scoreOf = (light: (x: number, y: number) => number) => look(frame(0, light)).score

describe("a frame's score", () => {
  const sharp = scoreOf(boxes(1))
  test("falls with blur", () => {
    expect(scoreOf(blurred(boxes(1), 3))).toBeLessThan(0.9 * sharp)
  })
  test("is nothing for black, and little for one plain light", () => {
    expect(scoreOf(() => 16)).toBe(0)
    expect(scoreOf(() => 120)).toBeLessThan(0.1 * sharp)
    expect(scoreOf(() => 235)).toBeLessThan(0.1 * sharp)
  })
  test("is low where nearly everything is dark", () => {
    const title = (x: number, y: number) => (x > 40 && x < 56 && y > 24 && y < 30 ? 235 : 16)
    expect(scoreOf(title)).toBeLessThan(0.2 * sharp)
  })
})

describe("the best three", () => {
  test("show three scenes where there are three, though one has the best frames", () => {
    const frames = [1, 1, 1, 2, 3].map((scene, i) =>
      look(frame(i, scene === 1 ? boxes(1) : blurred(boxes(scene * 17), 1))),
    )
    const scenes = chooseBest(frames, 3).map(({ at }) => (at < 3 ? 1 : at - 1))
    expect(scenes[0]).toBe(1)
    expect([...scenes].sort()).toEqual([1, 2, 3])
  })
  test("of black alone are still three, the middle first", () => {
    const frames = [0, 1, 2, 3, 4].map((at) => look(frame(at, () => 16)))
    expect(chooseBest(frames, 3).map(({ at }) => at)[0]).toBe(2)
    expect(chooseBest(frames, 3).length).toBe(3)
  })
  test("are as many as there are frames", () => {
    expect(chooseBest([look(frame(7, boxes(1)))], 3).map(({ at }) => at)).toEqual([7])
  })
})
