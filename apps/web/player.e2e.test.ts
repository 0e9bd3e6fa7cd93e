/** The player and the uploader at work in a browser, against a small edge and a small API. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { Browser } from "playwright-core"
import { web } from "./app.ts"
import { executablePath, launch, openPage } from "./testing/browser.ts"
import { startEdge } from "./testing/edge.ts"
import { memoryReader } from "./testing/reader.ts"
import { ids } from "./testing/stories.ts"

const MIB = 2 ** 20
const newVideo = "loc0000000000000077"

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let edge: Awaited<ReturnType<typeof startEdge>>
  let browser: Browser
  let site = ""
  let stop = async () => {}
  const asked: Array<{ readonly path: string; readonly key: string | null; body: unknown }> = []
  const reported = new Set<number>()
  let tell: (event: string, told: unknown) => void = () => {}

  const parts = Array.from({ length: 6 }, (_, index) => ({
    ...{ number: index + 1, offset: index * MIB, length: MIB },
  }))
  const withUrls = (numbers: (number: number) => boolean) =>
    parts
      .filter(({ number }) => numbers(number))
      .map((part) => ({
        ...part,
        url: `${edge.url}/sources/${newVideo}/${part.number}`,
        headers: { "if-none-match": "*" },
      }))

  /** The part of the API that an upload asks. */
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (request.method === "GET" && pathname.endsWith("/events")) {
      const encoder = new TextEncoder()
      const body = new ReadableStream<Uint8Array>({
        start: (stream) => {
          stream.enqueue(encoder.encode(": hello\n\n"))
          tell = (event, told) =>
            stream.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(told)}\n\n`))
        },
      })
      return new Response(body, { headers: { "content-type": "text/event-stream" } })
    }
    const text = await request.text()
    const body: unknown = text === "" ? undefined : JSON.parse(text)
    asked.push({ path: pathname, key: request.headers.get("idempotency-key"), body })
    const known = { videoId: newVideo, partCount: parts.length }
    if (pathname.endsWith("/upload")) {
      return Response.json({ ...known, missing: withUrls((number) => !reported.has(number)) })
    }
    if (pathname.endsWith("/parts")) {
      const { parts: told } = body as { parts: ReadonlyArray<{ number: number }> }
      for (const { number } of told) reported.add(number)
      return Response.json({ received: told.length })
    }
    if (pathname === "/v1/videos") {
      return Response.json({ ...known, parts: withUrls(() => true) }, { status: 201 })
    }
    return Response.json({ videoId: newVideo }, { headers: { "reelog-position": "18300" } })
  }

  beforeAll(async () => {
    edge = await startEdge()
    const app = web({
      reader: memoryReader({
        edge: edge.url,
        thumbnailUrl: `${edge.url}/poster.png`,
        storyboardUrl: `${edge.url}/images/storyboard.vtt`,
      }),
      origins: { edge: edge.url, objectStore: edge.url },
      isSecure: false,
    })
    for (const method of ["GET", "POST", "PATCH", "PUT"]) {
      app.route(method, "/v1/*", ({ request }) => answer(request), { parse: "none" })
    }
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

  test("a file goes up in parallel parts, each retried alone, and can be watched before the end", async () => {
    const { page, complaints } = await openPage(browser, site)
    await page.goto(`${site}/upload`)
    const buffer = Buffer.alloc(6 * MIB, 7)
    await page
      .locator("[data-files]")
      .setInputFiles({ name: "hills.mp4", mimeType: "video/mp4", buffer })
    await page.getByText("All parts are there").waitFor()
    expect([...edge.received.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(6 * MIB)
    expect(edge.mostConcurrent()).toBeGreaterThan(1)
    expect(reported.size).toBe(6)
    const [creation] = asked
    expect(creation?.body).toEqual({
      ...{ title: "hills", fileName: "hills.mp4", byteLength: 6 * MIB },
    })
    expect(asked.every(({ key }) => key !== "")).toBe(true)
    expect(asked.at(-1)?.path).toBe(`/v1/videos/${newVideo}/complete`)

    tell("rendition", { rung: "240p", done: 1, total: 3 })
    await page.getByRole("img", { name: "240p: 1 of 3" }).waitFor()
    tell("playable", {})
    const link = page.getByRole("link", { name: "Watch now" })
    expect(await link.getAttribute("href")).toBe(`/watch/${newVideo}`)
    tell("published", {})
    await page.getByRole("link", { name: "Watch", exact: true }).waitFor()
    expect(complaints.filter((text) => !text.includes("503"))).toEqual([])
    await page.context().close()
  }, 60_000)

  test("a file that was begun before goes on with its missing parts only", async () => {
    const { page } = await openPage(browser, site)
    await page.goto(`${site}/upload`)
    const choose = async () =>
      await page.evaluate(() => {
        const file = new File([new Uint8Array(6 * 2 ** 20)], "again.mp4", { lastModified: 5 })
        const transfer = new DataTransfer()
        transfer.items.add(file)
        const input = document.querySelector<HTMLInputElement>("[data-files]")
        if (input === null) return
        input.files = transfer.files
        input.dispatchEvent(new Event("change"))
      })
    await page.evaluate((videoId) => {
      const kept = { key: "k", name: "again.mp4", size: 6 * 2 ** 20, modified: 5, title: "again" }
      localStorage.setItem("reelog-uploads", JSON.stringify([{ ...kept, videoId }]))
    }, newVideo)
    await page.reload()
    await page.getByText("Not finished").waitFor()
    edge.received.clear()
    reported.delete(3)
    reported.delete(4)
    await choose()
    await page.getByText("All parts are there").waitFor()
    expect([...edge.received.keys()].sort()).toEqual(
      [3, 4].map((number) => `/sources/${newVideo}/${number}`),
    )
    expect(await page.evaluate(() => localStorage.getItem("reelog-uploads"))).toBe("[]")
    await page.context().close()
  }, 60_000)

  test("editing asks under the revision shown, and shows the page after it was recorded", async () => {
    const { page } = await openPage(browser, site)
    await page.goto(`${site}/studio/${ids.published}`)
    await page.getByLabel("Title").fill("Sintel, the trailer")
    const reloaded = page.waitForRequest(/after=18300/)
    await page.getByRole("button", { name: "Save" }).click()
    await reloaded
    expect(asked.at(-1)?.body).toEqual({
      title: "Sintel, the trailer",
      description: "The trailer of the third open movie.",
      visibility: "public",
    })
    await page.waitForURL((url) => url.search === "")
    await page.context().close()
  }, 60_000)

  test("a video is shown by its poster until it plays, and its time line shows what is where", async () => {
    const { page, complaints } = await openPage(browser, site)
    await page.goto(`${site}/watch/${ids.published}`)
    const poster = page.locator("media-controller [slot=poster] img")
    await poster.waitFor({ state: "visible" })
    expect(await poster.getAttribute("src")).toContain("/poster.png")
    await page.waitForFunction(() => (document.querySelector("video")?.duration ?? 0) > 11)
    await page.waitForFunction(() => document.querySelector("track")?.track.cues?.length === 6)
    const place = await page.locator("media-time-range").boundingBox()
    if (place === null) throw new Error("no time range")
    const y = place.y + place.height / 2
    await page.mouse.move(place.x + place.width * 0.3, y)
    await page.mouse.move(place.x + place.width * 0.7, y)
    const preview = page.locator("media-preview-thumbnail").first()
    const isThere = preview.evaluate(
      (element) =>
        new Promise<string>((resolve) => {
          const look = () => {
            const image = element.getAttribute("mediapreviewimage")
            if (image === null) requestAnimationFrame(look)
            else resolve(`${image} ${element.getAttribute("mediapreviewcoords")}`)
          }
          look()
        }),
    )
    expect(await isThere).toMatch(/\/images\/storyboard-0\.jpg#xywh=640,0,160,90 640 0 160 90$/)
    expect(complaints).toEqual([])
    await page.context().close()
  }, 60_000)

  test("a thumbnail is chosen by a click, and the page shows what was recorded", async () => {
    const { page } = await openPage(browser, site)
    await page.goto(`${site}/studio/${ids.published}`)
    const reloaded = page.waitForRequest(/after=18300/)
    await page.getByRole("button", { name: "Picture 1" }).click()
    await reloaded
    expect(asked.at(-1)).toMatchObject({
      ...{ path: `/v1/videos/${ids.published}/thumbnail`, body: { choice: 1 } },
    })
    await page.context().close()
  }, 60_000)

  test("a video plays, its menu names every rung, a choice is kept, and a takedown stops it", async () => {
    const { page, requests, complaints } = await openPage(browser, site)
    await page.goto(`${site}/watch/${ids.published}`)
    const video = page.locator("media-controller video")
    const seconds = () => video.evaluate((element) => (element as HTMLVideoElement).currentTime)
    await video.evaluate((element) => (element as HTMLVideoElement).play())
    await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0.5)
    await video.evaluate((element) => (element as HTMLVideoElement).pause())
    await page.locator("media-rendition-menu-button").click()
    const rungs = page.getByRole("menuitemradio")
    expect(await rungs.allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringContaining("360p"),
        expect.stringContaining("180p"),
        expect.stringContaining("Auto"),
      ]),
    )
    const fetched = requests.length
    await rungs.filter({ hasText: "180p" }).click()
    await page.waitForFunction(() => localStorage.getItem("reelog-quality") === "180")
    await video.evaluate((element) => (element as HTMLVideoElement).play())
    await page.waitForFunction(() => document.querySelector("video")?.videoHeight === 180)
    expect(requests.slice(fetched).some((url) => url.includes("180p"))).toBe(true)
    expect(await seconds()).toBeGreaterThan(0)
    expect(complaints).toEqual([])

    await page.goto(`${site}/watch/${ids.published}`)
    await page.waitForFunction(() => document.querySelector("video")?.videoHeight === 180)

    const again = page.waitForEvent("load")
    await video.evaluate((element) => (element as HTMLVideoElement).play())
    edge.close()
    await again
    await page.context().close()
  }, 60_000)
})
