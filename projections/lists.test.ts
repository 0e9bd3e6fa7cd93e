import { describe, expect, test } from "bun:test"
import { Sealed } from "#domain/sealed.ts"
import { channel } from "./channel.ts"
import { moderationLog } from "./moderation-log.ts"
import { cursorText, pageOf, readCursor } from "./pages.ts"
import { studioList } from "./studio-list.ts"
import { factsOf, rowOf } from "./testing.ts"
import { at, channelId, lifeOf, media } from "./testing-events.ts"

const life = lifeOf(1)
const { created, requested, planned, published, takenDown, reinstated } = life

describe("the studio list", () => {
  test("shows a video from its first event, whatever becomes of it", () => {
    const row = rowOf(studioList).after(created, requested, published, takenDown)
    expect(row).toMatchObject({ state: "taken-down", progress: "published", byteLength: 20 })
  })

  test("shows how long a video is once it was looked at", () => {
    const row = rowOf(studioList).after(created, planned, life.succeeded("inspect", { media }))
    expect(row).toMatchObject({ durationTicks: 540_000, width: 1280, height: 720 })
  })

  test("says failed of a video of which no upload was ever asked for", () => {
    const expired = { _tag: "UploadExpired", videoId: life.videoId, at: created.at } as const
    const row = rowOf(studioList).after(created, expired)
    expect(row).toMatchObject({ state: "failed", failureCode: "upload_expired" })
  })
})

describe("the moderation log", () => {
  test("has an entry for each takedown and each reinstatement", () => {
    const entry = (revision: number) => `${life.videoId}:${revision}`
    const keys = factsOf([created, takenDown, reinstated, takenDown]).map(moderationLog.keyOf)
    expect(keys).toEqual([null, entry(1), entry(2), entry(3)])
  })

  test("tells who did it and why", () => {
    const row = rowOf(moderationLog).after(takenDown)
    expect(row).toMatchObject({ action: "taken-down", reason: "copyright", actor: "owner" })
  })
})

test("a channel has a row from the day it is opened", () => {
  const name = Sealed.make(`v1.owner.${"A".repeat(40)}`)
  const { accountId } = created
  const opened = { _tag: "ChannelOpened", channelId, accountId, name, at: at(0) } as const
  expect(rowOf(channel).after(opened)).toMatchObject({ channelId, name, openedAt: at(0) })
})

describe("a page of a list", () => {
  const rows = [1, 3, 2, 3].map((time, index) => ({ at: time, key: `k${index}` }))
  const placeOf = (row: (typeof rows)[number]) => row

  test("is newest first, and names where the next one begins", () => {
    const page = pageOf(rows, 2, placeOf)
    expect(page.rows.map(({ key }) => key)).toEqual(["k3", "k1"])
    expect(page.next).toBe(cursorText({ at: 3, key: "k1" }))
  })

  test("that shows all that is left is the last", () => {
    expect(pageOf(rows, 4, placeOf).next).toBeNull()
  })

  test("is asked for by a cursor that survives its text, and by no other text", () => {
    const cursor = { at: 17, key: `${life.videoId}:3` }
    expect(readCursor(cursorText(cursor))).toEqual(cursor)
    expect(readCursor("17.'; drop table")).toBeNull()
  })
})
