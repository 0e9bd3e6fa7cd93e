/** The whole road: a video goes up, is encoded by two workers, plays, is taken down and put back, and its history is replayed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { judge } from "./judge.ts"
import { beginUpload } from "./slow-upload.ts"
import {
  corpus,
  forget,
  madeVideo,
  reelog,
  startPlatform,
  survivors,
  type TestPlatform,
  until,
} from "./testing.ts"

let platform: TestPlatform
let videoId: string
let source: string

beforeAll(async () => {
  platform = await startPlatform()
  source = madeVideo(platform.directory, "made.mp4", 21)
})
afterAll(async () => {
  const tree = platform.tree()
  const exit = await platform.stop()
  const left = await survivors(tree)
  forget(platform)
  expect(left).toEqual([])
  expect(exit).toBe(0)
})

interface Told {
  readonly type: string
  readonly data: Record<string, unknown>
}

const history = async (id: string): Promise<ReadonlyArray<Told>> => {
  const answer = await platform.call(`/v1/videos/${id}/history`)
  return ((await answer.json()) as { events: ReadonlyArray<Told> }).events
}

describe("a video", () => {
  test("is published exactly as it was uploaded", async () => {
    const uploaded = await reelog(
      platform,
      "upload",
      source,
      "--title",
      "Made <here>",
      "--wait",
      "published",
    )
    expect(uploaded.result).toMatchObject({ state: "published", title: "Made <here>" })
    expect(uploaded.exit).toBe(0)
    videoId = uploaded.result.videoId
    expect(await judge(source, uploaded.result.hlsUrl)).toEqual([])
  })

  test("was encoded by two workers at once, and published once", async () => {
    const events = await history(videoId)
    const workers = new Set(
      events
        .filter(
          ({ type, data }) =>
            type === "TaskSucceeded" && String(data.taskId).includes("encode-video"),
        )
        .map(({ data }) => data.worker),
    )
    expect(workers.size).toBe(2)
    expect(events.filter(({ type }) => type === "VideoPublished")).toHaveLength(1)
    const at = (type: string) => events.findIndex((event) => event.type === type)
    expect(at("VideoPlayable")).toBeGreaterThan(at("TranscodePlayable"))
    expect(at("VideoPlayable")).toBeLessThan(at("VideoPublished"))
  })

  test("leaves nothing temporary behind", async () => {
    const verified = await reelog(platform, "verify")
    expect(verified.lines.map((line) => JSON.parse(line)).filter(({ ok }) => ok === false)).toEqual(
      [],
    )
    expect(verified.exit).toBe(0)
  })

  test("is closed at every URL by a takedown, and plays again after a reinstatement", async () => {
    const master = `${platform.edgeUrl}/v/${videoId}/main.m3u8`
    const names = (await (await fetch(master)).text())
      .split("\n")
      .filter((l) => l !== "" && !l.startsWith("#"))
    const list = new URL(names[0] ?? "", master).href
    const urls = [
      master,
      list,
      new URL("360p/0.m4s", master).href,
      new URL("360p/init.mp4", master).href,
    ]
    for (const url of urls) expect((await fetch(url)).status).toBe(200)

    const taken = await reelog(platform, "takedown", videoId, "--reason", "copyright")
    expect(taken.exit).toBe(0)
    const deadline = Date.now() + 2_000
    for (const url of urls) {
      let { status } = await fetch(url)
      while (status !== 451 && Date.now() < deadline) status = (await fetch(url)).status
      expect(status).toBe(451)
    }
    expect((await fetch(`${platform.url}/v1/videos/${videoId}`)).status).toBe(451)
    const shown = await reelog(platform, "show", videoId)
    expect(shown.result.state).toBe("taken-down")

    expect((await reelog(platform, "reinstate", videoId)).exit).toBe(0)
    let { status } = await fetch(master)
    while (status !== 200 && Date.now() < deadline + 5_000) status = (await fetch(master)).status
    for (const url of urls) expect((await fetch(url)).status).toBe(200)
  })

  test("can be seen as it was at any event", async () => {
    const answer = await platform.call(`/v1/videos/${videoId}/history`)
    const { events } = (await answer.json()) as {
      events: ReadonlyArray<{ type: string; position: string }>
    }
    const stateAt = async (type: string) => {
      const position = events.find((event) => event.type === type)?.position
      const then = await platform.call(`/v1/videos/${videoId}?at=${position}`)
      return ((await then.json()) as { state: string }).state
    }
    expect(await stateAt("VideoCreated")).toBe("uploading")
    expect(await stateAt("VideoPublished")).toBe("published")
    expect(await stateAt("VideoTakenDown")).toBe("taken-down")
  })

  test("has read models that equal their rebuild", async () => {
    const rebuilt = await reelog(platform, "rebuild")
    const reports = rebuilt.lines.map((line) => JSON.parse(line)).filter((it) => "model" in it)
    expect(reports.length).toBeGreaterThan(3)
    expect(reports.filter(({ differences }) => differences !== 0)).toEqual([])
    expect((await reelog(platform, "show", videoId)).result.state).toBe("published")
  })
})

describe("a file that was uploaded before", () => {
  test("is published without encoding anything again, and as exact", async () => {
    const again = await reelog(platform, "upload", source, "--wait", "published")
    expect(again.result).toMatchObject({ state: "published" })
    const works = (await history(again.result.videoId)).flatMap(({ type, data }) => {
      if (String(data.taskId).endsWith("/inspect")) return []
      const { work } = (type === "TaskSucceeded" ? data.outputs : {}) as Record<string, unknown>
      return work === undefined ? [] : [`${data.taskId} ${(work as { way?: string }).way}`]
    })
    expect(works.length).toBeGreaterThan(0)
    expect(works.filter((work) => !work.endsWith(" reused"))).toEqual([])
    expect(await judge(source, again.result.hlsUrl)).toEqual([])
  })
})

describe("a video on a slow line", () => {
  test("is watchable before its last byte is sent, and whole in the end", async () => {
    const path = madeVideo(platform.directory, "slow.mp4", 21)
    const slow = await beginUpload(platform, { path, title: "Slow", count: 16 })
    const { videoId } = slow
    await slow.send(0, 10)
    await until(platform, videoId, (event) => event === "playable")
    const master = `${platform.edgeUrl}/v/${videoId}/main.m3u8`
    let growing = await fetch(master)
    while (growing.status !== 200) growing = await fetch(master)
    expect(await growing.text()).toContain("#EXT-X-STREAM-INF")

    await slow.send(10)
    await slow.complete()
    await until(platform, videoId, (event) => event === "published")
    const types = (await history(videoId)).map(({ type }) => type)
    expect(types.indexOf("VideoPlayable")).toBeLessThan(types.indexOf("UploadCompleted"))
    expect(await judge(path, master)).toEqual([])
  })
})

describe("a file that is no video", () => {
  test("gets a stable code at once, without a retry", async () => {
    const path = `${platform.directory}/letter.mp4`
    await Bun.write(path, "Dear video, ".repeat(1000))
    const uploaded = await reelog(platform, "upload", path, "--wait", "published")
    expect(uploaded.exit).toBe(1)
    expect(uploaded.result.code).toBe("not_a_video")
    const id = (await platform.call("/v1/videos")).status
    expect(id).toBe(200)
  })

  const bad: Record<string, string> = {
    "bad/flower_moov_missing.mp4": "unreadable",
    "bad/hls_lfi_passwd_renamed.mp4": "not_a_video",
    "bad/decompression_bomb_16000x16000.mp4": "too_many_pixels",
  }
  for (const [name, code] of Object.entries(bad)) {
    const path = corpus(name)
    test.skipIf(path === undefined)(`${name} is refused as ${code}`, async () => {
      const uploaded = await reelog(platform, "upload", path ?? "", "--wait", "published")
      expect(uploaded.result.code).toBe(code)
    })
  }

  test("that is empty, or too large, is refused before a byte is sent", async () => {
    const ask = (byteLength: number) =>
      platform.call("/v1/videos", {
        method: "POST",
        body: JSON.stringify({ title: "T", fileName: "a.mp4", byteLength }),
      })
    const large = await ask(2 ** 30 + 1)
    expect([large.status, ((await large.json()) as { code: string }).code]).toEqual([
      413,
      "source_too_large",
    ])
    const empty = await ask(0)
    expect([empty.status, ((await empty.json()) as { code: string }).code]).toEqual([422, "empty"])
  })
})
