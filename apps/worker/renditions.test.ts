import { expect, test } from "bun:test"
import { Result } from "effect"
import type { EncodedPiece, Segment } from "#domain/transcode/facts.ts"
import { aligned, joined, measured, type Rendition, withoutGap } from "./renditions.ts"

const segment = (k: number, start: number, duration: number, bytes = 1000): Segment => ({
  k,
  start: start * 90_000,
  duration: duration * 90_000,
  bytes,
})
const of = (...segments: ReadonlyArray<Segment>): Rendition => ({
  rung: "240p",
  initBytes: 700,
  segments,
})
const whole = of(segment(0, 0, 2), segment(1, 2, 2), segment(2, 4, 4))

test("the pieces of a rung join in the order of the grid", () => {
  const piece = (n: number, segments: ReadonlyArray<Segment>): EncodedPiece => ({
    n,
    rungs: [{ rung: "240p", initBytes: 700, segments }],
  })
  const later = piece(1, whole.segments.slice(1))
  const first = piece(0, whole.segments.slice(0, 1))
  expect(joined("240p", [later, first])).toEqual(whole)
})

test("a missing segment is found", () => {
  expect(Result.isSuccess(withoutGap(whole))).toBe(true)
  expect(Result.isFailure(withoutGap(of(segment(0, 0, 2), segment(2, 4, 4))))).toBe(true)
  expect(Result.isFailure(withoutGap(of(segment(0, 0, 2), segment(1, 2, 2, 0))))).toBe(true)
  expect(Result.isFailure(withoutGap(of()))).toBe(true)
})

test("a border that differs between rungs is found", () => {
  expect(Result.isSuccess(aligned(whole, whole))).toBe(true)
  const other = of(segment(0, 0, 2), segment(1, 2, 3), segment(2, 5, 3))
  expect(Result.isFailure(aligned(whole, other))).toBe(true)
  expect(Result.isFailure(aligned(whole, of(segment(0, 0, 2))))).toBe(true)
})

test("the peak is the largest rate of about one target duration, the average that of all", () => {
  const rendition = of(segment(0, 0, 4, 1000), segment(1, 4, 4, 5000), segment(2, 8, 1, 9000))
  expect(measured(rendition, 4)).toEqual({
    rung: "240p",
    averageBitsPerSecond: Math.ceil((15_000 * 8) / 9),
    peakBitsPerSecond: Math.ceil((14_000 * 8) / 5),
    segmentCount: 3,
    bytes: 15_700,
  })
})
