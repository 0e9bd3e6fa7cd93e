/** Names that mean something to a shell, a path, a page or ffmpeg: tests that `abuse.e2e.test.ts` runs on its platform. */
import { describe, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { type Asking, film } from "./asking.ts"
import { corpus, sessionOf } from "./testing.ts"

const plain = (markup: string) =>
  markup
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&")

/** Texts in the elements that are chosen, and elements that no page of ours has. */
const readPage = async (markup: string, selector: string) => {
  const texts: Array<string> = []
  const strange: Array<string> = []
  const rewriter = new HTMLRewriter()
    .on(selector, {
      element: () => void texts.push(""),
      text: ({ text }) => void texts.push((texts.pop() ?? "") + text),
    })
    .on('[onerror], img[src="x"], b > i, script:not([src]):not([type="application/json"])', {
      element: ({ tagName }) => void strange.push(tagName),
    })
  await rewriter.transform(new Response(markup)).text()
  return { texts: texts.map(plain), strange }
}

const names = [
  "<img src=x onerror=alert(1)>.mp4",
  "</script><script>alert(1)</script>.mp4",
  "-i.mp4",
  "concat:a.ts|b.ts.mp4",
  "$(id) `id` ;id&.mp4",
  'quote"double".mp4',
  "../../secrets.json",
  "line\nbreak.mp4",
  "nul\0byte.mp4",
  "rtl-\u202Egpj.mp4",
  "naïve 日本語 🎬.mp4",
]

export const namesAreTexts = ({ here, ask, send }: Asking) => {
  describe("a file's name", () => {
    test("is only ever a text, whatever it looks like", async () => {
      const path = corpus("HOSTILE-NAMES.txt")
      const listed =
        path === undefined ? [] : readFileSync(path, "utf8").split("\n").filter(Boolean)
      const { name, value } = await sessionOf(here())
      const headers = { cookie: `${name}=${value}` }
      for (const fileName of new Set([...names, ...listed])) {
        const title = fileName.slice(0, 200)
        const made = await send("POST", "/v1/videos", { ...film, title, fileName })
        expect([fileName, made.status]).toEqual([fileName, 201])
        const after = made.headers.get("reelog-position")
        const page = await ask("GET", `/studio/${made.body.videoId}?after=${after}`, { headers })
        expect(page.status).toBe(200)
        const { texts, strange } = await readPage(page.text, "h1 bdi, aside .facts dd bdi")
        // A parser of pages knows no NUL.
        const shown = (text: string) => text.replaceAll("\0", "\uFFFD")
        expect(texts.map(shown)).toEqual([shown(title), shown(fileName)])
        expect(strange).toEqual([])
      }
      const studio = await ask("GET", "/studio", { headers })
      expect((await readPage(studio.text, "bdi")).strange).toEqual([])
    }, 60_000)
  })
}
