/** Each codec that a channel asks for, played from its own renditions by HLS and DASH in a player that is not ours. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import type { Browser } from "playwright-core"
import { executablePath, launch } from "../web/testing/browser.ts"
import { forget, madeVideo, reelog, startPlatform, type TestPlatform, until } from "./testing.ts"

const SECONDS = 8
const script = import.meta.resolve("shaka-player/dist/shaka-player.compiled-es2021.js")
const types = {
  avc1: 'video/mp4; codecs="avc1.64000D"',
  vp09: 'video/mp4; codecs="vp09.00.11.08"',
  av01: 'video/mp4; codecs="av01.0.00M.08"',
  hvc1: 'video/mp4; codecs="hvc1.1.6.L63.90"',
} as const
type Family = keyof typeof types
/** What stands behind the height in the names of their rungs. */
const endings: Readonly<Record<Family, string>> = {
  ...{ avc1: "p", vp09: "p-vp9", av01: "p-av1", hvc1: "p-hevc" },
}

/** Plays to the end at double speed, in one codec alone. */
const playedIn = async (browser: Browser, page: string, source: string, family: Family) => {
  const tab = await browser.newPage()
  const complaints: Array<string> = []
  const asked = new Set<string>()
  tab.on("pageerror", (error) => void complaints.push(error.message))
  tab.on("request", (request) => {
    const [, rung] = /\/(\d+p[^/]*)\/\d+\.m4s$/.exec(request.url()) ?? []
    if (rung !== undefined) asked.add(rung)
  })
  await tab.goto(page)
  const told = await tab.evaluate(
    async ({ from, codec }) => {
      interface Player {
        attach: (video: HTMLVideoElement) => Promise<void>
        configure: (name: string, value: unknown) => void
        load: (url: string, from: number) => Promise<void>
        addEventListener: (type: string, tell: (event: { detail: unknown }) => void) => void
      }
      const video = document.querySelector("video")
      if (video === null) throw new Error("there is no video")
      const { shaka } = globalThis as unknown as { shaka: { Player: new () => Player } }
      const player = new shaka.Player()
      const errors: Array<string> = []
      player.addEventListener("error", ({ detail }) => errors.push(JSON.stringify(detail)))
      await player.attach(video)
      player.configure("preferredVideo", [{ codec }])
      await player.load(from, 0)
      const ended = new Promise<void>((done) => {
        video.addEventListener("ended", () => done())
        setTimeout(done, 25_000)
      })
      video.playbackRate = 2
      await video.play()
      await ended
      return {
        ...{ errors, time: video.currentTime, isEnded: video.ended, height: video.videoHeight },
        ranges: video.buffered.length,
        corrupted: video.getVideoPlaybackQuality().corruptedVideoFrames,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
      }
    },
    { from: source, codec: family },
  )
  await tab.close()
  return { ...told, errors: [...told.errors, ...complaints], asked: [...asked] }
}

if (executablePath === undefined) console.log("skipped: there is no Chromium for other codecs")

describe.skipIf(executablePath === undefined)("a video in more codecs", () => {
  let platform: TestPlatform
  let browser: Browser
  let page: ReturnType<typeof Bun.serve>
  let at = ""
  let can: Readonly<Record<string, boolean>> = {}

  beforeAll(async () => {
    platform = await startPlatform()
    browser = await launch()
    page = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: (request) =>
        request.url.endsWith("/shaka")
          ? new Response(Bun.file(new URL(script)))
          : new Response(`<!doctype html><video muted></video><script src="/shaka"></script>`, {
              headers: { "content-type": "text/html" },
            }),
    })
    const pipeline = join(import.meta.dir, "../../domain/transcode/more-codecs.yaml")
    expect((await reelog(platform, "pipeline", "set", pipeline)).exit).toBe(0)
    const path = madeVideo(platform.directory, "made.mp4", SECONDS, "426x240")
    const { result } = await reelog(platform, "upload", path, "--wait", "published")
    at = `${platform.edgeUrl}/v/${result.videoId}`
    await until(platform, result.videoId, (event) => event === "extended")
    const tab = await browser.newPage()
    can = await tab.evaluate(
      (wanted) =>
        Object.fromEntries(
          Object.entries(wanted).map(([name, type]) => [name, MediaSource.isTypeSupported(type)]),
        ),
      types,
    )
    await tab.close()
  }, 150_000)
  afterAll(async () => {
    await browser?.close()
    await page?.stop(true)
    const exit = await platform.stop()
    forget(platform)
    expect(exit).toBe(0)
  }, 30_000)

  for (const family of ["avc1", "vp09", "av01", "hvc1"] as const) {
    for (const name of ["main.m3u8", "manifest.mpd"]) {
      test(`plays in ${family} by ${name}, where the browser can`, async () => {
        if (can[family] !== true) {
          console.log(`skipped: this browser does not play ${family}`)
          expect(family).toBe("hvc1")
          return
        }
        const told = await playedIn(browser, page.url.href, `${at}/${name}`, family)
        expect(told).toMatchObject({ errors: [], isEnded: true, ranges: 1, corrupted: 0 })
        expect(told.time).toBeCloseTo(SECONDS, 1)
        expect(told.frames).toBeGreaterThan(0)
        expect(told.asked.length).toBeGreaterThan(0)
        for (const rung of told.asked) expect(rung).toEndWith(endings[family])
      }, 40_000)
    }
  }
})
