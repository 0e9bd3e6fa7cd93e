/** Every page in a browser: nothing serious for axe, no complaint, nothing asked from elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Browser } from "playwright-core"
import { web } from "./app.ts"
import { executablePath, launch, openPage, seriousFindings } from "./testing/browser.ts"
import { startEdge } from "./testing/edge.ts"
import { memoryReader } from "./testing/reader.ts"
import { ids } from "./testing/stories.ts"

const pages = {
  home: "/",
  watch: `/watch/${ids.published}`,
  past: `/watch/${ids.published}?at=4165`,
  making: `/watch/${ids.making}`,
  waiting: `/watch/${ids.waiting}`,
  failed: `/watch/${ids.failed}`,
  upload: "/upload",
  studio: "/studio",
  video: `/studio/${ids.published}`,
  closed: `/studio/${ids.closed}`,
  moderation: "/moderation",
  operation: "/operation",
  "sign-in": "/sign-in",
  "404": "/nothing",
  "451": `/watch/${ids.closed}`,
}

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>
  let browser: Browser
  let site = ""
  let stop = async () => {}

  beforeAll(async () => {
    edge = await startEdge()
    const app = web({
      reader: memoryReader({ edge: edge.url, thumbnailUrl: `${edge.url}/poster.png` }),
      origins: { edge: edge.url, objectStore: edge.url },
      isSecure: false,
      hasPseudo: true,
    })
    // Progress of what is not finished: nothing new, ever.
    app.get("/v1/videos/:id/events", () => {
      const heartbeat = new ReadableStream({ start: (body) => body.enqueue(": still here\n\n") })
      return new Response(heartbeat, { headers: { "content-type": "text/event-stream" } })
    })
    app.listen({ port: 0, hostname: "127.0.0.1" })
    site = `http://127.0.0.1:${app.server?.port}`
    stop = async () => void (await app.stop(true))
    browser = await launch()
  }, 30_000)
  afterAll(async () => {
    await browser.close()
    await stop()
    await edge.stop()
  })

  for (const [colorScheme, width] of [
    ["light", 1280],
    ["dark", 360],
  ] as const) {
    test(`${colorScheme} pages of ${width} px have no serious finding and stay within the window`, async () => {
      const options = { colorScheme, viewport: { width, height: 900 }, bypassCSP: true }
      const { page, requests, complaints } = await openPage(browser, site, options)
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(site + path)
        expect([name, await seriousFindings(page)]).toEqual([name, []])
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect([name, Math.max(0, over)]).toEqual([name, 0])
      }
      const foreign = requests.filter(
        (url) => !url.startsWith(site) && !url.startsWith(edge.url) && !url.startsWith("blob:"),
      )
      expect(foreign).toEqual([])
      expect(complaints).toEqual([])
      await page.context().close()
    }, 120_000)
  }

  test("the policy of each page lets all of it work", async () => {
    const { page, complaints } = await openPage(browser, site)
    for (const path of Object.values(pages)) {
      await page.goto(site + path)
      await page.waitForLoadState("load")
    }
    expect(complaints).toEqual([])
    await page.context().close()
  }, 60_000)

  test("from 360 to 2560 px, right to left too, no page is wider than its window", async () => {
    const { page } = await openPage(browser, site)
    for (const width of [360, 768, 2560]) {
      await page.setViewportSize({ width, height: 900 })
      for (const path of Object.values(pages)) {
        await page.goto(`${site}/ar-XB${path === "/" ? "" : path}`)
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect([path, width, Math.max(0, over)]).toEqual([path, width, 0])
      }
    }
    await page.context().close()
  }, 120_000)

  test("the playhead goes by keyboard from event to event, and Enter shows the page as it was", async () => {
    const { page } = await openPage(browser, site)
    await page.goto(`${site}/watch/${ids.published}`)
    const scrub = page.getByRole("slider", { name: "Moment in the life of this video" })
    await scrub.focus()
    const said = () => scrub.getAttribute("aria-valuetext")
    await page.keyboard.press("Home")
    expect(await said()).toContain("Created")
    await page.keyboard.press("ArrowRight")
    expect(await said()).toContain("Upload requested: 4 parts")
    await page.keyboard.press("PageDown")
    await page.keyboard.press("PageUp")
    expect(await said()).toContain("Complete: every rendition is there")
    await page.keyboard.press("End")
    expect(await said()).toContain("Now")
    await page.keyboard.press("PageDown")
    await page.keyboard.press("PageDown")
    expect(await said()).toContain("Taken down: copyright")
    expect(await page.locator('[data-then="state"]').textContent()).toBe("Closed to everyone")
    await page.keyboard.press("Home")
    for (let step = 0; step < 9; step += 1) await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await page.waitForURL(/at=4165/)
    expect(await page.locator(".rewound").textContent()).toContain("as it was on")
    expect(await page.locator("h1").textContent()).toBe("sintel_trailer-720p")
    const focused = await page.evaluate(() => document.activeElement?.className)
    expect(focused).toBe("scrub")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await page.waitForURL((url) => !url.search.includes("at="))
    await page.context().close()
  }, 60_000)

  test("the lanes lie beside their names, the track fills what is left", async () => {
    const { page } = await openPage(browser, site, { viewport: { width: 1280, height: 900 } })
    await page.goto(`${site}/studio/${ids.published}`)
    const widthOf = async (part: string) => (await page.locator(part).boundingBox())?.width ?? 0
    const [life, names, track] = [
      await widthOf(".life"),
      await widthOf(".names"),
      await widthOf(".track"),
    ]
    expect(names).toBeGreaterThan(60)
    expect(track / life).toBeGreaterThan(0.8)
    await page.getByRole("button", { name: "Hide the lanes" }).click()
    expect((await widthOf(".track")) / life).toBeGreaterThan(0.9)
    await page.context().close()
  }, 60_000)

  test("dragging the playhead to a moment goes there", async () => {
    const { page } = await openPage(browser, site)
    await page.goto(`${site}/watch/${ids.published}`)
    await page.locator(".scrub").scrollIntoViewIfNeeded()
    const track = await page.locator(".scrub").boundingBox()
    if (track === null) throw new Error("no track")
    const y = track.y + track.height / 2
    await page.mouse.move(track.x + track.width - 12, y)
    await page.mouse.down()
    await page.mouse.move(track.x + track.width * 0.3, y, { steps: 5 })
    await page.mouse.up()
    await page.waitForURL(/at=\d+/)
    await page.context().close()
  }, 60_000)
})
