import { expect, test } from "bun:test"
import { spriteSheet, storyboardText } from "./storyboard-sheet.ts"

const tile = { width: 160, height: 90 }

test("a short video has a picture every two seconds on one sprite", () => {
  const sheet = spriteSheet(7, tile)
  expect(sheet).toEqual({ tile, tiles: 4, columns: 4, rows: 1, secondsEach: 2 })
  expect(storyboardText(sheet, 7).split("\n\n").at(-1)).toBe(
    "00:00:06.000 --> 00:00:07.000\nstoryboard-0.jpg#xywh=480,0,160,90\n",
  )
})

test("a long one has four sprites at most", () => {
  const text = storyboardText(spriteSheet(12 * 3600, tile), 12 * 3600)
  expect(text).toContain("11:58:12.000 --> 12:00:00.000\nstoryboard-3.jpg#xywh=1440,810,160,90")
  expect(text).not.toContain("storyboard-4")
})
