/** What a person does, in a browser against the whole platform: sign in, upload, watch, rewind, take down. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { executablePath, launch, seriousFindings, watchedPage } from "../web/testing/browser.ts"
import { forget, linkOf, madeVideo, startPlatform, type TestPlatform } from "./testing.ts"

const name = `<b>Made</b> & "here"`
const SECONDS = 12

if (executablePath === undefined) console.log("skipped: there is no Chromium for the browser tests")

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let platform: TestPlatform
  let browser: Browser
  let owner: BrowserContext
  let videoId = ""
  /** Everything asked and every complaint of every page of this file. */
  const requests: Array<string> = []
  const complaints: Array<string> = []

  const open = async (path: string, context = owner, seen = { requests, complaints }) => {
    const { page } = await watchedPage(context, seen)
    await page.goto(platform.url + path)
    return page
  }
  const play = async (page: Page, from = 0) => {
    await page.waitForFunction(() => (document.querySelector("video")?.readyState ?? 0) >= 2)
    await page.evaluate((start) => {
      const video = document.querySelector("video")
      if (video === null) return
      video.loop = true
      video.currentTime = start
      return video.play()
    }, from)
    await page.waitForFunction(
      (start) => (document.querySelector("video")?.currentTime ?? 0) > start + 1,
      from,
    )
  }
  const edgeStatuses = async () => {
    const at = `${platform.edgeUrl}/v/${videoId}`
    const paths = ["main.m3u8", "360p/init.mp4", "360p/0.m4s", "360p/1.m4s"]
    const asked = await Promise.all(paths.map((path) => fetch(`${at}/${path}`)))
    return [...new Set(asked.map(({ status }) => status))]
  }

  beforeAll(async () => {
    ;[platform, browser] = await Promise.all([startPlatform(), launch()])
    owner = await browser.newContext()
  })
  afterAll(async () => {
    await browser.close()
    const exit = await platform.stop()
    forget(platform)
    expect(exit).toBe(0)
  })

  test("the link of the first start signs the owner in, once", async () => {
    const link = await linkOf(platform)
    const page = await owner.newPage()
    await page.goto(link)
    expect(page.url()).toBe(`${platform.url}/`)
    const [cookie] = await owner.cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" })
    await page.goto(`${platform.url}/studio`)
    expect(page.url()).toBe(`${platform.url}/studio`)

    const stranger = await browser.newContext()
    const second = await stranger.newPage()
    expect((await second.goto(link))?.status()).toBe(403)
    await second.goto(`${platform.url}/studio`)
    expect(new URL(second.url()).pathname).toBe("/sign-in")
    await stranger.close()
    await page.close()
  })

  test("a file goes up, each rendition tells how far it is, and it can be watched before all are there", async () => {
    const path = madeVideo(platform.directory, "made.mp4", SECONDS)
    const page = await open("/upload")
    await page.locator("[data-files]").setInputFiles({
      name: `${name}.mp4`,
      mimeType: "video/mp4",
      buffer: Buffer.from(await Bun.file(path).bytes()),
    })
    const card = page.getByRole("article")
    expect(await card.getByRole("heading").textContent()).toBe(`${name}.mp4`)
    await card
      .getByText(/\d of \d+/)
      .first()
      .waitFor()
    await card.getByRole("img", { name: /^360p: \d+ of \d+/ }).waitFor()
    expect(await card.locator(".lanes li").count()).toBeGreaterThan(1)
    const now = card.getByRole("link", { name: "Watch now" })
    await now.waitFor()
    videoId = (await now.getAttribute("href"))?.split("/").at(-1) ?? ""
    expect(await seriousFindings(page)).toEqual([])

    await card.getByRole("link", { name: "Watch", exact: true }).waitFor()
    const done = await card
      .locator(".lanes svg")
      .evaluateAll((lanes) =>
        lanes.map((lane) => lane.getAttribute("aria-label")?.match(/\d+(?= of)| \d+$/g)),
      )
    for (const pair of done) expect(Number(pair?.[0])).toBe(Number(pair?.[1]))
    await page.close()
  })

  test("the video plays, and the quality that is chosen is fetched", async () => {
    const page = await open(`/watch/${videoId}`)
    expect(await page.locator("h1").textContent()).toBe(name)
    await play(page)
    const segments = (rung: string, from: number) =>
      requests.slice(from).filter((url) => url.includes(`/${rung}/`) && url.endsWith(".m4s"))
    const menu = page.locator("media-rendition-menu-button")
    const rungs = page.getByRole("menuitemradio")
    await menu.click()
    const offered = (await rungs.allTextContents()).flatMap(
      (text) => /^\s*(\d+p)/.exec(text)?.[1] ?? [],
    )
    expect(offered.length).toBeGreaterThan(1)
    const lowest =
      offered.sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10))[0] ?? ""
    const before = requests.length
    await page.getByRole("menuitemradio", { name: lowest, exact: true }).click()
    await page.waitForFunction(
      (height) => document.querySelector("video")?.videoHeight === height,
      Number.parseInt(lowest, 10),
    )
    expect(segments(lowest, before).length).toBeGreaterThan(0)

    await menu.click()
    await rungs.filter({ hasText: "Auto" }).click()
    await page.waitForFunction(() => localStorage.getItem("reelog-quality") === "auto")
    await play(page, 3)
    await page.close()
  })

  test("the timeline goes back by keyboard to the page as it was", async () => {
    const page = await open(`/watch/${videoId}`)
    const scrub = page.getByRole("slider", { name: "Moment in the life of this video" })
    await scrub.focus()
    const said = async () => (await scrub.getAttribute("aria-valuetext")) ?? ""
    await page.keyboard.press("Home")
    expect(await said()).toContain("Created")
    expect(await page.locator('[data-then="state"]').textContent()).toBe(
      "Announced, no byte here yet",
    )
    await page.keyboard.press("ArrowRight")
    expect(await said()).toContain("Upload requested")
    await page.keyboard.press("Enter")
    await page.waitForURL(/at=\d+/)
    expect(await page.locator(".rewound").textContent()).toContain("as it was on")
    expect(await page.locator("media-controller").count()).toBe(0)
    expect(await page.locator("main .state").first().textContent()).toContain("Uploading")
    expect(await page.locator("h1").textContent()).toBe(name)
    expect(await seriousFindings(page)).toEqual([])
    await page.getByRole("link", { name: "Return to now" }).click()
    await page.locator("media-controller").waitFor()
    await page.close()
  })

  test("a takedown in the studio stops it where it plays, and a reinstatement lets it play again", async () => {
    const stranger = await browser.newContext()
    // That the doors are closed is what it is told: no complaint.
    const seen = { requests, complaints: [] }
    const viewer = await open(`/watch/${videoId}`, stranger, seen)
    await play(viewer)
    expect(await edgeStatuses()).toEqual([200])

    const studio = await open(`/studio/${videoId}`)
    await studio.getByLabel("Reason").selectOption("copyright")
    const stopped = viewer.waitForEvent("load")
    await studio.getByRole("button", { name: "Take down" }).click()
    await studio.getByRole("button", { name: "Reinstate" }).waitFor()
    const deadline = Date.now() + 2000
    while ((await edgeStatuses()).join() !== "451" && Date.now() < deadline) await Bun.sleep(20)
    expect(await edgeStatuses()).toEqual([451])
    await stopped
    expect(await viewer.locator("video").count()).toBe(0)
    expect((await viewer.goto(`${platform.url}/watch/${videoId}`))?.status()).toBe(451)
    expect(await seriousFindings(viewer)).toEqual([])

    await studio.getByRole("button", { name: "Reinstate" }).click()
    await studio.getByRole("button", { name: "Take down" }).waitFor()
    while ((await edgeStatuses()).join() !== "200" && Date.now() < deadline + 5000)
      await Bun.sleep(20)
    expect((await viewer.goto(`${platform.url}/watch/${videoId}`))?.status()).toBe(200)
    await play(viewer)
    expect(seen.complaints.filter((text: string) => !text.includes("451"))).toEqual([])
    await stranger.close()
    await studio.close()
  })

  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing serious on ${colorScheme} pages with what has happened here`, async () => {
      const context = await browser.newContext({
        colorScheme,
        storageState: await owner.storageState(),
      })
      const paths = [
        "/",
        `/watch/${videoId}`,
        "/studio",
        `/studio/${videoId}`,
        "/operation",
        "/moderation",
      ]
      for (const path of paths) {
        const page = await open(path, context)
        expect([path, await seriousFindings(page)]).toEqual([path, []])
        await page.close()
      }
      await context.close()
    })
  }

  test("no page complained, or asked anyone but this platform", () => {
    const ours = [platform.url, platform.edgeUrl, platform.storeUrl]
    const foreign = requests.filter((url) => {
      const { protocol, origin } = new URL(url)
      return protocol.startsWith("http") && !ours.includes(origin)
    })
    expect(foreign).toEqual([])
    expect(requests.some((url) => url.startsWith(platform.storeUrl))).toBe(true)
    expect(complaints).toEqual([])
  })
})
