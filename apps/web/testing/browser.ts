/**
 * Chromium for the tests of pages: found, started once, every request and complaint of a page
 * written down. Without a browser the tests say that they are skipped.
 */
import { existsSync } from "node:fs"
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core"
import { sessionCookie } from "../app.ts"
import { token } from "./reader.ts"

/** Where programs lie that were unpacked without root. */
const unpacked = process.env.REELOG_PROGRAMS ?? ""
const places = [
  process.env.REELOG_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  ...(unpacked === "" ? [] : [`${unpacked}/usr/lib/chromium/chromium`]),
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

const libraries = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib"]
  .map((folder) => `${unpacked}/${folder}`)
  .join(":")

export const launch = (): Promise<Browser> => {
  const path = executablePath ?? "chromium"
  const isUnpacked = unpacked !== "" && path.startsWith(unpacked)
  const env = { ...process.env, ...(isUnpacked ? { LD_LIBRARY_PATH: libraries } : {}) }
  return chromium.launch({ executablePath: path, args: quiet, env })
}

interface Seen {
  /** Every address asked. */
  readonly requests: Array<string>
  readonly complaints: Array<string>
}
export interface Watched extends Seen {
  readonly page: Page
}

/** A new page, watched from its first request on. A refusal's own status is no complaint. */
export const watchedPage = async (
  context: BrowserContext,
  { requests, complaints }: Seen = { requests: [], complaints: [] },
): Promise<Watched> => {
  const page = await context.newPage()
  page.on("request", (request) => void requests.push(request.url()))
  page.on("pageerror", (error) => void complaints.push(error.message))
  page.on("console", (message) => {
    const { url } = message.location()
    if (message.type() === "error" && url !== page.url())
      complaints.push(`${message.text()} ${url}`)
  })
  return { page, requests, complaints }
}

/** A page of the owner, or of a stranger. */
export const openPage = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  isOwner = true,
): Promise<Watched> => {
  const context = await browser.newContext(options)
  if (isOwner) await context.addCookies([{ name: sessionCookie, value: token, url }])
  return await watchedPage(context)
}

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

const axeScript = Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir))

/** What axe calls serious or critical on the page as it is. */
export const seriousFindings = async (page: Page) => {
  await page.evaluate(await axeScript.text())
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: ReadonlyArray<Violation> }> }
    }
    return (await axe.run()).violations
  })
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary])
}
