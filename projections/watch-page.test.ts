import { describe, expect, test } from "bun:test"
import { rowOf } from "./testing.ts"
import { at, lifeOf, media, rungs, sealed } from "./testing-events.ts"
import { watchPage } from "./watch-page.ts"

const life = lifeOf(1)
const { created, requested, uploaded, planned, playable, published, takenDown, reinstated } = life
const page = rowOf(watchPage)

describe("the watch page", () => {
  test("of a video nobody created is not there", () => {
    expect(page.after(requested, uploaded)).toBeNull()
  })

  test("says that the video is uploading until its last byte is there", () => {
    expect(page.after(created, requested)?.state).toBe("uploading")
    expect(page.after(created, requested, uploaded)?.state).toBe("processing")
  })

  test("says playable before the upload has ended, and does not take it back", () => {
    const row = page.after(created, requested, planned, playable, uploaded)
    expect(row).toMatchObject({ state: "playable", isUploaded: true, playableRun: 1 })
  })

  test("does not become playable again once it is published", () => {
    expect(page.after(created, published, playable)?.state).toBe("published")
  })

  test("keeps a row of a video that was taken down, with the reason", () => {
    const row = page.after(created, published, takenDown)
    expect(row).toMatchObject({ state: "taken-down", takedownReason: "copyright" })
  })

  test("is as it was when a video is reinstated", () => {
    const row = page.after(created, published, takenDown, reinstated)
    expect(row).toMatchObject({ state: "published", takedownReason: null })
  })

  test("goes on behind a takedown", () => {
    const row = page.after(created, takenDown, requested, uploaded, reinstated)
    expect(row?.state).toBe("processing")
  })

  test("tells why a video failed", () => {
    const { videoId } = life
    const failed = { _tag: "VideoFailed", videoId, code: "source_refused", at: created.at } as const
    const row = page.after(created, failed)
    expect(row).toMatchObject({ state: "failed", failureCode: "source_refused" })
  })

  test("says failed of an upload that was abandoned", () => {
    const expired = { _tag: "UploadExpired", videoId: life.videoId, at: created.at } as const
    const row = page.after(created, requested, expired)
    expect(row).toMatchObject({ state: "failed", failureCode: "upload_expired" })
  })

  test("says the same of a video of which no upload was ever asked for", () => {
    const expired = { _tag: "UploadExpired", videoId: life.videoId, at: created.at } as const
    const row = page.after(created, expired)
    expect(row).toMatchObject({ state: "failed", failureCode: "upload_expired", fileName: null })
  })

  test("counts only events of the video itself in its revision", () => {
    const { videoId } = life
    const title = sealed("Another title")
    const changed = { _tag: "VideoDetailsChanged", videoId, title, at: created.at } as const
    const row = page.after(created, requested, uploaded, changed, planned)
    expect(row).toMatchObject({ title, revision: 1 })
  })

  test("shows what the tasks found out, and measured bit rates in the end", () => {
    const packaged = {
      key: "manifests/x",
      rungs: [
        {
          ...{ rung: "240p", averageBitsPerSecond: 300_000, peakBitsPerSecond: 390_000 },
          ...{ segmentCount: 3, bytes: 9000 },
        },
      ],
    }
    const row = page.after(
      created,
      planned,
      life.succeeded("inspect", { media, rungs }),
      life.succeeded("package", { manifest: packaged }),
    )
    expect(row).toMatchObject({ durationTicks: 540_000, width: 1280, height: 720, hasAudio: true })
    expect(row?.rungs.map(({ name, byteLength }) => [name, byteLength])).toEqual([
      ["240p", 9000],
      ["720p", null],
    ])
  })

  test("of a video that is made anew keeps what is watched until the rest is whole", () => {
    const again = lifeOf(1, 2)
    const figures = { averageBitsPerSecond: 1, peakBitsPerSecond: 2, segmentCount: 3, bytes: 9000 }
    const packaged = (...names: ReadonlyArray<string>) => ({
      manifest: { key: "manifests/x", rungs: names.map((rung) => ({ rung, ...figures })) },
    })
    const copied = rungs.map((rung) =>
      rung.name === "720p" ? { ...rung, name: "720p-source" } : rung,
    )
    const first = [
      ...[created, planned, life.succeeded("inspect", { media, rungs: copied })],
      ...[life.succeeded("package", packaged("240p", "720p-source")), published],
    ]
    const named = (row: ReturnType<typeof page.after>) =>
      row?.rungs.map(({ name, byteLength }) => [name, byteLength])
    const begun = [...first, again.planned, again.succeeded("inspect", { media, rungs })]
    expect(named(page.after(...begun))).toEqual([
      ["240p", 9000],
      ["720p-source", 9000],
      ["720p", null],
    ])
    const later = { ...again.published, at: at(99_000) }
    const whole = [...begun, again.succeeded("package", packaged("240p", "720p")), later]
    expect(named(page.after(...whole))).toEqual([
      ["240p", 9000],
      ["720p", 9000],
    ])
    expect(page.after(...whole)).toMatchObject({ playableRun: 2, publishedAt: published.at })
  })

  test("learns nothing from a task of another run", () => {
    const { videoId } = life
    const later = { ...planned, transcode: `${videoId}.2` }
    const row = page.after(created, planned, later, life.succeeded("inspect", { media }))
    expect(row?.durationTicks).toBeNull()
  })
})
