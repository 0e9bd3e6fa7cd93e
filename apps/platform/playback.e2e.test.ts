/** What players and parsers that are not ours make of a video's manifests, and what the file to keep holds. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import { parse as parseDash } from "mpd-parser"
import { executablePath } from "../web/testing/browser.ts"
import { growing, listAt, mainListAt } from "./manifests.ts"
import { type Players, startPlayers } from "./players.ts"
import { forget, madeVideo, reelog, startPlatform, type TestPlatform } from "./testing.ts"

const SECONDS = 12
const FRAMES = SECONDS * 25

let platform: TestPlatform
let videoId = ""
let at = ""

const listOf = (name: string) => listAt(at, name)
const mainList = () => mainListAt(at)
const ran = (...words: ReadonlyArray<string>) => {
  const done = Bun.spawnSync([...words], { stdin: "ignore" })
  if (done.exitCode !== 0) throw new Error(done.stderr.toString())
  return done.stdout.toString()
}
/** A hash and a time of every frame of a stream. */
const framesOf = (input: string, stream: string) =>
  ran(
    ...["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-i", input, "-map", stream],
    ...["-f", "framemd5", "-fps_mode", "passthrough", "-"],
  )
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(",").map((field) => field.trim()))

beforeAll(async () => {
  platform = await startPlatform()
  const path = madeVideo(platform.directory, "made.mp4", SECONDS, "1280x720")
  const { result } = await reelog(platform, "upload", path, "--wait", "published")
  videoId = result.videoId
  at = `${platform.edgeUrl}/v/${videoId}`
}, 120_000)
afterAll(async () => {
  const exit = await platform.stop()
  forget(platform)
  expect(exit).toBe(0)
})

test("HLS and DASH name the same rungs and the same segments", async () => {
  const { variants } = await mainList()
  const shown = variants.filter(({ isIFrameOnly }) => !isIFrameOnly)
  expect(shown.length).toBeGreaterThan(1)
  const dash = parseDash(await (await fetch(`${at}/manifest.mpd`)).text(), {
    manifestUri: `${at}/manifest.mpd`,
  })
  expect(dash.playlists.map(({ attributes }) => `${attributes.NAME}.m3u8`).sort()).toEqual(
    shown.map(({ uri }) => uri).sort(),
  )
  for (const { attributes, segments } of dash.playlists) {
    const list = await listOf(`${attributes.NAME}.m3u8`)
    expect(segments.map(({ uri }) => uri)).toEqual(list.segments.map(({ uri }) => uri))
    for (const [i, { duration }] of segments.entries()) {
      expect(Math.abs(duration - (list.segments[i]?.duration ?? 0))).toBeLessThan(0.001)
    }
    for (const { resolvedUri } of segments) {
      expect((await fetch(resolvedUri, { method: "HEAD" })).status).toBe(200)
    }
  }
  for (const { bandwidth, frameRate, codecs } of shown) {
    expect(bandwidth).toBeGreaterThan(50_000)
    expect(frameRate).toBe(25)
    expect(codecs).toMatch(/^avc1\.[0-9A-F]{6},mp4a\.40\.2$/)
  }
}, 30_000)

test("each key picture decodes from the bytes that its list names, and no others", async () => {
  const { variants } = await mainList()
  const keys = variants.find(({ isIFrameOnly }) => isIFrameOnly)
  const list = await listOf(keys?.uri ?? "")
  expect(list.isIFrame).toBe(true)
  const length = list.segments.reduce((sum, { duration }) => sum + duration, 0)
  expect(length).toBeCloseTo(SECONDS, 2)
  for (const [i, { uri, byterange, map }] of list.segments.entries()) {
    const range = `bytes=${byterange?.offset}-${(byterange?.offset ?? 0) + (byterange?.length ?? 0) - 1}`
    const picture = await fetch(`${at}/${uri}`, { headers: { range } })
    expect(picture.status).toBe(206)
    const init = await fetch(`${at}/${map?.uri}`)
    const file = join(platform.directory, `key-${i}.mp4`)
    await Bun.write(file, new Blob([await init.arrayBuffer(), await picture.arrayBuffer()]))
    const told = ran(
      ...["ffprobe", "-v", "quiet", "-count_frames", "-show_entries", "stream=nb_read_frames"],
      ...["-of", "csv=p=0", file],
    )
    expect(told.trim()).toBe("1")
  }
}, 30_000)

describe("the file to keep", () => {
  const url = () => `${at}/${encodeURIComponent("여름, 바다")}_360p.mp4`

  test("holds every frame of its rung at its time, and all the sound", async () => {
    const answer = await fetch(url())
    expect(answer.status).toBe(200)
    expect(answer.headers.get("content-type")).toBe("video/mp4")
    expect(answer.headers.get("content-disposition")).toContain(
      `filename*=UTF-8''${encodeURIComponent("여름, 바다_360p.mp4")}`,
    )
    const file = join(platform.directory, "kept.mp4")
    await Bun.write(file, answer)
    expect((await fetch(url(), { method: "HEAD" })).headers.get("content-length")).toBe(
      `${Bun.file(file).size}`,
    )
    const kept = framesOf(file, "0:v:0")
    const streamed = framesOf(`${at}/360p.m3u8`, "0:v:0")
    expect(kept.length).toBe(FRAMES)
    expect(kept.map((frame) => frame.at(-1))).toEqual(streamed.map((frame) => frame.at(-1)))
    // Where it is streamed, ffmpeg decodes the priming too.
    const heard = framesOf(`${at}/audio.m3u8`, "0:a:0").slice(1)
    expect(framesOf(file, "0:a:0").map((frame) => frame.at(-1))).toEqual(
      heard.map((frame) => frame.at(-1)),
    )
    const told = JSON.parse(
      ran("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", file),
    )
    expect(Number(told.format.duration)).toBeCloseTo(SECONDS, 1)
    expect(told.streams.map((stream: { codec_type: string }) => stream.codec_type)).toEqual([
      "video",
      "audio",
    ])
    for (const stream of told.streams) expect(Number(stream.start_time)).toBeCloseTo(0, 3)
    expect(told.streams[0].avg_frame_rate).toBe("25/1")
  }, 30_000)

  test("answers any range with the bytes of the whole", async () => {
    const whole = new Uint8Array(await (await fetch(url())).arrayBuffer())
    const end = whole.length
    const ranges = [
      [0, 1],
      [0, 99],
      [end - 1, end - 1],
      [end - 70_000, end - 5],
      [5000, 400_000],
    ]
    for (let n = 0; n < 12; n++) {
      const from = Math.floor((n * end) / 13)
      ranges.push([from, Math.min(end - 1, from + n * 30_011)])
    }
    for (const [from = 0, to = 0] of ranges) {
      const part = await fetch(url(), { headers: { range: `bytes=${from}-${to}` } })
      expect(part.status).toBe(206)
      expect(part.headers.get("content-range")).toBe(`bytes ${from}-${to}/${end}`)
      const bytes = new Uint8Array(await part.arrayBuffer())
      expect(Buffer.compare(bytes, whole.subarray(from, to + 1))).toBe(0)
    }
    const beyond = await fetch(url(), { headers: { range: `bytes=${end}-` } })
    expect(beyond.status).toBe(416)
  }, 30_000)

  test("exists for the rungs of the video alone", async () => {
    expect((await fetch(`${at}/x_999p.mp4`)).status).toBe(404)
    expect((await fetch(`${at}/x_audio.mp4`)).status).toBe(404)
    expect((await fetch(`${at}/%ff_360p.mp4`)).status).toBe(404)
  })
})

if (executablePath === undefined) console.log("skipped: there is no Chromium for the players")

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let players: Players
  beforeAll(async () => {
    players = await startPlayers(at)
  }, 30_000)
  afterAll(() => players.stop())

  for (const [player, manifest] of [
    ["shaka", "main.m3u8"],
    ["shaka", "manifest.mpd"],
    ["hls", "main.m3u8"],
  ] as const) {
    test(`${player} plays ${manifest} from the first picture to the last, without a hole`, async () => {
      const told = await players.played(player, `${at}/${manifest}`)
      expect(told).toMatchObject({ errors: [], isEnded: true, ranges: 1, from: 0 })
      expect(told.time).toBeCloseTo(SECONDS, 0)
      expect(told.height).toBeGreaterThan(0)
    }, 60_000)
  }

  test("shaka plays a growing DASH manifest from the beginning to the end it gets later", async () => {
    players.serve(await growing(at, SECONDS))
    const told = await players.played("shaka", players.growingUrl)
    expect(told).toMatchObject({ errors: [], isEnded: true, ranges: 1, from: 0 })
    expect(told.time).toBeCloseTo(SECONDS, 0)
    expect(players.asked()).toBeGreaterThan(1)
  }, 60_000)
})

test("a takedown closes the manifest and the file to keep like all else", async () => {
  const etag = (await platform.call(`/v1/videos/${videoId}`)).headers.get("etag") ?? ""
  const down = await platform.call(`/v1/videos/${videoId}/takedown`, {
    method: "POST",
    headers: { "if-match": etag },
    body: JSON.stringify({ reason: "copyright" }),
  })
  expect(down.status).toBeLessThan(300)
  const names = ["manifest.mpd", "main.m3u8", "360p-keys.m3u8", "x_360p.mp4"]
  const statuses = () =>
    Promise.all(names.map(async (name) => (await fetch(`${at}/${name}`)).status))
  const deadline = Date.now() + 2000
  while ((await statuses()).some((status) => status !== 451) && Date.now() < deadline) {
    await Bun.sleep(20)
  }
  expect(await statuses()).toEqual([451, 451, 451, 451])
})
