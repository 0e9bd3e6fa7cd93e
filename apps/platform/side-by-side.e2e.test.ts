/** Two platforms on one machine, each with its own directory and ports: neither knows of the other. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import {
  forget,
  madeVideo,
  reelog,
  startPlatform,
  survivors,
  type TestPlatform,
} from "./testing.ts"

let one: TestPlatform
let other: TestPlatform

beforeAll(async () => {
  one = await startPlatform({ workers: 1 })
  other = await startPlatform({ workers: 1 })
})
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()])
  forget(one)
  forget(other)
})

const upload = async (platform: TestPlatform, title: string) => {
  const file = madeVideo(platform.directory, "made.mp4", 2, "320x180")
  const words = ["upload", file, "--title", title, "--wait", "published"]
  return (await reelog(platform, ...words)).result
}

test("both publish, each its own video alone, at addresses of its own", async () => {
  const addresses = [one, other].flatMap((platform) => {
    const { url, edgeUrl, storeUrl, eventStoreUrl } = platform
    return [url, edgeUrl, storeUrl, eventStoreUrl]
  })
  expect(new Set(addresses).size).toBe(8)

  const [first, second] = await Promise.all([upload(one, "First"), upload(other, "Second")])
  expect(first).toMatchObject({ state: "published", title: "First" })
  expect(second).toMatchObject({ state: "published", title: "Second" })
  expect(first.hlsUrl).toStartWith(one.edgeUrl)
  expect((await other.call(`/v1/videos/${first.videoId}`)).status).toBe(404)
  expect((await one.call(`/v1/videos/${second.videoId}`)).status).toBe(404)

  const asStranger = await fetch(`${other.url}/v1/videos`, {
    headers: { authorization: `Bearer ${one.token}` },
    method: "POST",
  })
  expect(asStranger.status).toBe(401)
})

test("one that is stopped takes all its processes with it, and none of the other's", async () => {
  const tree = one.tree()
  const others = other.pidsOf(".ts")
  expect(await one.stop()).toBe(0)
  expect(await survivors(tree)).toEqual([])
  expect(other.pidsOf(".ts")).toEqual(others)
  expect(await upload(other, "Third")).toMatchObject({ state: "published", title: "Third" })
})
