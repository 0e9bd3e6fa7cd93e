import { expect, test } from "bun:test"
import { bytesIn, missingFrom, withRange } from "./byte-ranges.ts"

const held = [
  { from: 0, to: 10 },
  { from: 20, to: 30 },
]

test("ranges that touch become one", () => {
  expect(withRange(held, { from: 10, to: 20 })).toEqual([{ from: 0, to: 30 }])
})

test("a range apart from the others stays on its own, in order", () => {
  expect(withRange(held, { from: 12, to: 15 })).toEqual([
    { from: 0, to: 10 },
    { from: 12, to: 15 },
    { from: 20, to: 30 },
  ])
})

test("an empty range adds nothing", () => {
  expect(withRange(held, { from: 15, to: 15 })).toEqual(held)
})

test("only the holes of a range are missing", () => {
  expect(missingFrom(held, { from: 5, to: 35 })).toEqual([
    { from: 10, to: 20 },
    { from: 30, to: 35 },
  ])
  expect(missingFrom(held, { from: 20, to: 30 })).toEqual([])
})

test("the bytes held are counted once", () => {
  expect(bytesIn(withRange(held, { from: 5, to: 25 }))).toBe(30)
})
