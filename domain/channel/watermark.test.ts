import { describe, expect, test } from "bun:test"
import { AccountId, ChannelId, Timestamp } from "#domain/ids.ts"
import { Sealed } from "#domain/sealed.ts"
import { spec } from "#domain/testing.ts"
import { channel } from "./channel.ts"
import type { ChannelEvent } from "./events.ts"
import { boxOf, evolveMarks, noMarks, usualPlacement, type Watermark } from "./watermark.ts"

const { given } = spec(channel)
const of = { channelId: ChannelId.make("main"), at: Timestamp.make(1_700_000_000_000) }
const opened: ChannelEvent = {
  ...{ _tag: "ChannelOpened", ...of, accountId: AccountId.make("owner") },
  name: Sealed.make(`v1.owner.${"A".repeat(40)}`),
}
const mark = "0123456789abcdef"
const other = "fedcba9876543210"
const image = { key: "watermarks/main/a.png", bytes: 9, sha256: "ab", width: 400, height: 100 }
const wish = { mark, kind: "text", ...usualPlacement } as const
const set: ChannelEvent = { _tag: "WatermarkSet", ...of, actor: "owner", watermark: wish }
const off: ChannelEvent = { ...set, watermark: null }
const moved: ChannelEvent = { ...set, watermark: { ...wish, corner: "top-left" } }
const made: ChannelEvent = { _tag: "WatermarkMade", ...of, mark, image }
const refused: ChannelEvent = { _tag: "WatermarkRefused", ...of, mark, code: "unreadable_image" }

describe("a channel's watermark", () => {
  test("is set, made and switched off", () => {
    given(opened)
      .when({ _tag: "SetWatermark", ...of, actor: "owner", watermark: wish })
      .thenRecords(set)
    given(opened, set)
      .when({ _tag: "ShowWatermark", ...of, mark, image })
      .thenRecords(made)
    given(opened, set, made)
      .when({ _tag: "SetWatermark", ...of, actor: "owner", watermark: null })
      .thenRecords(off)
  })

  test("that is set already is set once, unless it was refused", () => {
    const again = { _tag: "SetWatermark", ...of, actor: "owner", watermark: wish } as const
    given(opened, set).when(again).thenNothing()
    given(opened, set, made).when(again).thenNothing()
    given(opened, set, refused).when(again).thenRecords(set)
    given(opened)
      .when({ ...again, watermark: null })
      .thenNothing()
  })

  test("that was made too late, or twice, is passed over", () => {
    given(opened, set, made)
      .when({ _tag: "ShowWatermark", ...of, mark, image })
      .thenNothing()
    given(opened, set, off)
      .when({ _tag: "ShowWatermark", ...of, mark, image })
      .thenNothing()
    given(opened, set)
      .when({ _tag: "RefuseWatermark", ...of, mark: other, code: "unreadable_image" })
      .thenNothing()
  })

  const shownAfter = (...events: ReadonlyArray<ChannelEvent>) =>
    events.reduce(channel.evolve, channel.initial).marks.shown?.watermark.corner
  test("is shown once there is a picture of it, and moves without another one", () => {
    expect(shownAfter(set)).toBeUndefined()
    expect(shownAfter(set, made)).toBe("bottom-right")
    expect(shownAfter(set, made, moved)).toBe("top-left")
    expect(shownAfter(set, made, off)).toBeUndefined()
  })

  test("of which no picture can be made leaves the one before it", () => {
    const next: ChannelEvent = { ...set, watermark: { ...wish, mark: other } }
    expect(shownAfter(set, made, next)).toBe("bottom-right")
    expect(shownAfter(set, made, next, { ...refused, mark: other })).toBe("bottom-right")
    expect(evolveMarks(noMarks, refused)).toEqual(noMarks)
  })
})

describe("the box of a mark", () => {
  const watermark: Watermark = { image, ...usualPlacement, size: 0.1, margin: 0.05 }
  test("is as tall as its share of the shorter side, in its corner", () => {
    const canvas = { width: 1920, height: 1080 }
    expect(boxOf(watermark, canvas)).toEqual({ x: 1434, y: 918, width: 432, height: 108 })
    expect(boxOf({ ...watermark, corner: "top-left" }, canvas)).toMatchObject({ x: 54, y: 54 })
    const portrait = { width: 1080, height: 1920 }
    expect(boxOf(watermark, portrait)).toMatchObject({ width: 432, height: 108, y: 1758 })
  })
  test("is at most half as wide as the picture", () => {
    const canvas = { width: 640, height: 360 }
    expect(boxOf({ ...watermark, size: 0.5 }, canvas)).toMatchObject({ width: 320, height: 80 })
  })
  test("lies within the smallest picture", () => {
    const canvas = { width: 2, height: 2 }
    expect(boxOf(watermark, canvas)).toEqual({ x: 0, y: 0, width: 2, height: 2 })
  })
})
