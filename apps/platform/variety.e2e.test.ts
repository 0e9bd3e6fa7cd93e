/** Sources of many kinds, uploaded and watched: in a player that is not ours by HLS and DASH, and on the watch page with its menus. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Page } from "playwright-core"
import { executablePath, seriousFindings, watchedPage } from "../web/testing/browser.ts"
import { type Players, startPlayers } from "./players.ts"
import { forget, reelog, startPlatform, type TestPlatform } from "./testing.ts"
import {
  chapters,
  ofHighRange,
  ofTwoSounds,
  ofVaryingRate,
  rotated,
  said,
  subtitled,
  surround,
  type VariedSource,
} from "./varied-sources.ts"
import { watched } from "./watching.ts"

if (executablePath === undefined) console.log("skipped: there is no Chromium for the variety")

const kinds = {
  rotated,
  "of varying frame rate": ofVaryingRate,
  "of high dynamic range": ofHighRange,
  "with 5.1 sound": surround,
  "with two sounds": ofTwoSounds,
  "with subtitles": subtitled,
}
type Kind = keyof typeof kinds
const names = Object.keys(kinds) as ReadonlyArray<Kind>

interface Uploaded extends VariedSource {
  readonly videoId: string
  readonly hlsUrl: string
  readonly dashUrl: string
}

describe.skipIf(executablePath === undefined)("a source", () => {
  let platform: TestPlatform
  let players: Players
  const stops: Array<() => Promise<unknown>> = []
  const uploaded = new Map<Kind, Uploaded>()
  const videoOf = (kind: Kind) => {
    const video = uploaded.get(kind)
    if (video === undefined) throw new Error(`nothing ${kind} was uploaded`)
    return video
  }

  const upload = async (kind: Kind) => {
    const source = await kinds[kind](platform.directory)
    const { exit, result } = await reelog(platform, "upload", source.path, "--wait", "published")
    expect([kind, result.code, exit]).toEqual([kind, undefined, 0])
    const shown = await platform.call(`/v1/videos/${result.videoId}`)
    const { videoId, hlsUrl, dashUrl } = (await shown.json()) as Uploaded
    uploaded.set(kind, { ...source, videoId, hlsUrl, dashUrl })
  }

  beforeAll(async () => {
    platform = await startPlatform()
    stops.push(async () => {
      const exit = await platform.stop()
      forget(platform)
      expect(exit).toBe(0)
    })
    players = await startPlayers(platform.edgeUrl)
    stops.push(players.stop)
    await Promise.all(names.map(upload))
  }, 120_000)
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop()
  }, 30_000)

  const expected: Readonly<Partial<Record<Kind, { sounds: ReadonlyArray<string> }>>> = {
    "with 5.1 sound": { sounds: ["en 2", "en 6"] },
    "with two sounds": { sounds: ["en 2", "ko 2"] },
    "with subtitles": { sounds: ["en 2", "en 6", "ko 2"] },
  }

  for (const kind of names) {
    for (const manner of ["hlsUrl", "dashUrl"] as const) {
      test(`${kind} plays by ${manner.slice(0, -3)} as it is to be shown`, async () => {
        const video = videoOf(kind)
        const tab = await players.open()
        const told = await watched(tab, video[manner], "ko")
        await tab.close()
        expect(told).toMatchObject({ errors: [], isEnded: true, isForward: true, ranges: 1 })
        expect(told.time).toBeCloseTo(told.duration, 1)
        expect(Math.abs(told.duration - video.seconds)).toBeLessThan(0.5)
        const top = told.sizes.toSorted((a, b) => b.height - a.height)[0]
        expect(top).toEqual({ width: video.width, height: video.height })
        expect(told.shape).toBeCloseTo(video.width / video.height, 1)

        const sounds = expected[kind]?.sounds
        if (sounds !== undefined) {
          expect(told.sounds.toSorted()).toEqual([...sounds])
          expect(told.began).toHaveLength(1)
          expect(told.heard).toHaveLength(1)
          expect(told.heard).not.toEqual(told.began)
        }
        if (kind === "with subtitles") {
          expect(told.texts.toSorted()).toEqual(["en", "ko"])
          expect(told.lines).toEqual([said.ko])
        }
      }, 40_000)
    }
  }

  describe("on the watch page", () => {
    const menu = (page: Page, name: string) => page.getByRole("menu", { name })
    const button = (page: Page, name: string) => page.getByRole("button", { name })
    const open = async (page: Page, name: string) => {
      await button(page, name).focus()
      await page.keyboard.press("Enter")
      await menu(page, name).waitFor({ state: "visible" })
      await page.waitForFunction(() => document.activeElement?.role?.startsWith("menu"))
    }
    const close = async (page: Page, name: string) => {
      await page.keyboard.press("Escape")
      await menu(page, name).waitFor({ state: "hidden" })
    }
    /** By keyboard alone. */
    const choose = async (page: Page, name: string, choice: string) => {
      await open(page, name)
      const choices = menu(page, name).getByRole("menuitemradio")
      const wanted = (await choices.allInnerTexts()).findIndex((text) => text.includes(choice))
      await page.keyboard.press("Home")
      for (let n = 0; n < wanted; n += 1) await page.keyboard.press("ArrowDown")
      await page.keyboard.press("Enter")
      await menu(page, name).waitFor({ state: "hidden" })
    }
    const shownLines = () =>
      [...(document.querySelector("video")?.textTracks ?? [])]
        .filter(({ mode }) => mode === "showing")
        .flatMap(({ activeCues }) => [...(activeCues ?? [])].map((cue) => (cue as VTTCue).text))

    test("what it has is offered, by keyboard, and a choice outlives the page", async () => {
      const context = await players.browser.newContext({ viewport: { width: 1280, height: 900 } })
      const { page, requests, complaints } = await watchedPage(context)
      const path = `${platform.url}/watch/${videoOf("with subtitles").videoId}`
      await page.goto(path)
      await page.waitForFunction(() => (document.querySelector("video")?.readyState ?? 0) >= 2)
      await button(page, "Chapters").waitFor()

      await open(page, "Sound")
      const sounds = await menu(page, "Sound").getByRole("menuitemradio").allInnerTexts()
      expect(sounds.map((text) => text.trim()).toSorted()).toEqual([
        "English",
        "English · 5.1",
        "한국어",
      ])
      expect(await seriousFindings(page)).toEqual([])
      await close(page, "Sound")
      const before = requests.length
      await choose(page, "Sound", "한국어")
      await page.evaluate(() => document.querySelector("video")?.play())
      await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.5)
      const asked = requests.slice(before).filter((url) => /\/audio-\d+\/.*m4s$/.test(url))
      expect(asked.length).toBeGreaterThan(0)
      await page.evaluate(() => document.querySelector("video")?.pause())

      await choose(page, "Subtitles", "English")
      await page.waitForFunction(
        (line) =>
          [...(document.querySelector("video")?.textTracks ?? [])].some(
            ({ mode, activeCues }) =>
              mode === "showing" && (activeCues?.[0] as VTTCue | undefined)?.text === line,
          ),
        said.en,
      )
      await choose(page, "Speed", "1.5")
      expect(await page.evaluate(() => document.querySelector("video")?.playbackRate)).toBe(1.5)
      await choose(page, "Chapters", chapters[1])
      await page.waitForFunction(
        () => Math.round(document.querySelector("video")?.currentTime ?? 0) === 2,
      )
      const marks = page
        .locator("media-time-range")
        .locator("#segments-clipping use, #segments-clipping rect")
      expect(await marks.count()).toBeGreaterThan(1)

      await page.goto(path)
      await page.waitForFunction((line) => {
        const [track] = [...(document.querySelector("video")?.textTracks ?? [])].filter(
          ({ mode }) => mode === "showing",
        )
        return (track?.cues?.[0] as VTTCue | undefined)?.text === line
      }, said.en)
      await open(page, "Sound")
      const checked = menu(page, "Sound").getByRole("menuitemradio", { checked: true })
      expect((await checked.innerText()).trim()).toBe("한국어")
      await close(page, "Sound")
      await choose(page, "Subtitles", "Off")
      expect(await page.evaluate(shownLines)).toEqual([])
      expect(complaints).toEqual([])
      await context.close()
    }, 60_000)

    test("what it has not is not offered", async () => {
      const page = await players.browser.newPage()
      await page.goto(`${platform.url}/watch/${videoOf("rotated").videoId}`)
      await page.waitForFunction(() => (document.querySelector("video")?.readyState ?? 0) >= 2)
      await button(page, "Quality").waitFor()
      for (const name of ["Chapters", "Subtitles", "Sound"]) {
        expect([name, await button(page, name).count()]).toEqual([name, 0])
      }
      await page.close()
    }, 30_000)
  })
})
