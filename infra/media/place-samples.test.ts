import { describe, expect, test } from "bun:test"
import type { Sample } from "./cmaf.ts"
import { placeExactly, placeRest, planOf } from "./place-samples.ts"

const frames = [0, 3000, 6000, 9000, 12_000, 15_000]
const plan = planOf({ grid: [0, 9000], end: 18_000, frames }, 0, 18_000)
const sample = (pts: number, isKey = false): Sample => ({ pts, isKey, data: Buffer.alloc(1) })
const came = [
  sample(1, true),
  sample(6001),
  sample(3001),
  sample(9000, true),
  sample(12_000),
  sample(15_000),
]
const times = (placed: ReturnType<typeof placeExactly>) =>
  placed?.map((segment) => segment.map(({ pts }) => pts))

describe("the samples of a piece", () => {
  test("get the planned times, whatever a filter rounded", () => {
    expect(times(placeExactly(came, plan, false))).toEqual([
      [0, 6000, 3000],
      [9000, 12_000, 15_000],
    ])
  })
  test("are no proof where one is missing, misplaced, or no key frame begins a segment", () => {
    expect(placeExactly(came.slice(0, 5), plan, false)).toBeNull()
    expect(placeExactly([...came.slice(0, 5), sample(16_000)], plan, false)).toBeNull()
    expect(placeExactly(came.with(3, sample(9000)), plan, false)).toBeNull()
  })
  test("of a damaged source begin each segment in time", () => {
    const rest = [sample(3000, true), sample(6000), sample(12_000, true)]
    expect(times(placeRest(rest, plan))).toEqual([[0, 6000], [9000]])
    expect(placeRest(rest.slice(0, 2), plan)).toBeNull()
  })
})
