/**
 * Chromium for the tests of pages: found, started once, every request and complaint of a page
 * written down. Without a browser the tests say that they are skipped.
 */
import { existsSync } from "node:fs"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { sessionCookie } from "../app.ts"
import { token } from "./reader.ts"

const places = [
  process.env.REELOG_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
]
export const executablePath = places.find((path) => path !== undefined && existsSync(path))

const quiet = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
]

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath ?? "chromium", args: quiet })

export interface Watched {
  readonly page: Page
  /** Origins asked, and every address. */
  readonly requests: Array<string>
  readonly complaints: Array<string>
}

/** A page of the owner, or of a stranger. A refusal's own status is no complaint. */
export const openPage = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  isOwner = true,
): Promise<Watched> => {
  const context = await browser.newContext(options)
  if (isOwner) await context.addCookies([{ name: sessionCookie, value: token, url }])
  const page = await context.newPage()
  const requests: Array<string> = []
  const complaints: Array<string> = []
  page.on("request", (request) => void requests.push(request.url()))
  page.on("pageerror", (error) => void complaints.push(error.message))
  page.on("console", (message) => {
    const isOwnStatus = message.location().url === page.url()
    if (message.type() === "error" && !isOwnStatus) complaints.push(message.text())
  })
  return { page, requests, complaints }
}
