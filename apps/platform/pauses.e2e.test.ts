/** Uploads that pause: others pass them, and they go on where they were. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { judge } from "./judge.ts"
import { beginUpload } from "./slow-upload.ts"
import { forget, madeVideo, reelog, startPlatform, type TestPlatform, until } from "./testing.ts"

let platform: TestPlatform
let source: string

beforeAll(async () => {
  platform = await startPlatform({
    workers: 1,
    env: { REELOG_WORKER_LIGHT_SLOTS: "1", REELOG_WORKER_PATIENCE_SECONDS: "1" },
  })
  source = madeVideo(platform.directory, "made.mp4", 5)
})
afterAll(async () => {
  await platform.stop()
  forget(platform)
})

interface Queue {
  readonly pausedCount: number
  readonly runningCount: number
  readonly tick: number
}

test("more paused uploads than there are slots hold up nobody", async () => {
  const paused = await Promise.all(
    ["one", "two", "three"].map((title) =>
      beginUpload(platform, { path: source, title, count: 8 }),
    ),
  )
  for (const { send } of paused) await send(0, 4)

  const other = await reelog(platform, "upload", source, "--wait", "published")
  expect(other.result).toMatchObject({ state: "published" })

  for (const { send, complete } of paused) {
    await send(4)
    await complete()
  }
  for (const { videoId } of paused) {
    await until(platform, videoId, (event) => event === "published")
    expect(await judge(source, `${platform.edgeUrl}/v/${videoId}/main.m3u8`)).toEqual([])
  }
  const queue = (await (await platform.call("/v1/queue")).json()) as Queue
  expect(queue).toMatchObject({ pausedCount: 0, runningCount: 0 })
})
