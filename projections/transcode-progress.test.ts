import { describe, expect, test } from "bun:test"
import { rowOf } from "./testing.ts"
import { lifeOf, media, rungs } from "./testing-events.ts"
import { transcodeProgress } from "./transcode-progress.ts"

const life = lifeOf(1)
const { requested, uploaded, planned } = life
const progress = rowOf(transcodeProgress)

const first = { n: 0, from: 0, to: 180_000, groups: ["r1", "r2"] }
const second = { n: 1, from: 180_000, to: 540_000, groups: ["all"] }
const inspected = life.succeeded("inspect", { media, rungs })
const split = life.emitted("split", first, second)
const encoding = [requested, planned, inspected, split] as const

describe("the progress of a video", () => {
  test("adds up the parts that arrived, however often they are reported", () => {
    const row = progress.after(requested, life.received(2), life.received(2, 1))
    expect(row).toMatchObject({ bytesReceived: 20, bytesTotal: 20, partsReceived: [1, 2] })
  })

  test("knows what each rung has to do as soon as pieces are found", () => {
    const row = progress.after(...encoding)
    expect(row?.rungs.map(({ name, done, total }) => [name, done, total])).toEqual([
      ["240p", 0, 2],
      ["720p", 0, 2],
    ])
    expect(row).toMatchObject({ stage: "encoding", durationTicks: 540_000 })
  })

  test("counts a piece of one rung on that rung, and a piece of all on all", () => {
    const done = [life.succeeded("encode-video:r1/0"), life.succeeded("encode-video:all/1")]
    const row = progress.after(...encoding, ...done)
    expect(row?.rungs.map((rung) => rung.done)).toEqual([2, 1])
  })

  test("counts a task that succeeds twice once", () => {
    const done = life.succeeded("encode-video:r1/0")
    const row = progress.after(...encoding, done, done)
    expect(row).toMatchObject({ cpuSeconds: 3 })
    expect(row?.rungs[0]?.done).toBe(1)
  })

  test("packages when every rung and the sound are done", () => {
    const row = progress.after(
      ...encoding,
      life.succeeded("split"),
      life.succeeded("encode-video:r1/0"),
      life.succeeded("encode-video:r2/0"),
      life.succeeded("encode-video:all/1"),
      life.succeeded("encode-audio"),
    )
    expect(row?.stage).toBe("packaging")
  })

  test("shows the tasks that run until they end", () => {
    const [one, two] = [life.assigned("inspect"), life.assigned("encode-audio")]
    expect(progress.after(requested, planned, one, two)?.running).toHaveLength(2)
    expect(progress.after(requested, planned, one, two, inspected)?.running).toHaveLength(1)
    expect(progress.after(requested, planned, one, life.failed("inspect"))).toMatchObject({
      running: [],
      failureCount: 1,
      failures: [{ code: "EncoderCrashed", recoverable: true }],
    })
  })

  test("begins anew with a new run, and keeps what was uploaded", () => {
    const again = { ...planned, transcode: `${life.videoId}.2` }
    const row = progress.after(...encoding, uploaded, again)
    expect(row).toMatchObject({ run: 2, pieces: [], rungs: [], isUploaded: true })
  })

  test("passes over what a superseded run still reports", () => {
    const again = { ...planned, transcode: `${life.videoId}.2` }
    expect(progress.after(...encoding, again, life.succeeded("split"))?.done).toEqual([])
  })
})
