import { describe, expect, test } from "bun:test"
import { sessionCookie, web } from "./app.ts"
import { code, memoryReader, token } from "./testing/reader.ts"
import { ids } from "./testing/stories.ts"

const origins = { edge: "http://127.0.0.1:8081", objectStore: "http://127.0.0.1:8082" }
const media = { edge: origins.edge, thumbnailUrl: `${origins.edge}/v/poster.jpg` }
const siteOf = (isDown = false) =>
  web({ reader: memoryReader(media, () => isDown), origins, isSecure: false, hasPseudo: true })
const site = siteOf()

const ask = (path: string, headers: Record<string, string> = {}, from = site) =>
  from.handle(new Request(`http://reelog.test${path}`, { headers }))
const owner = { cookie: `${sessionCookie}=${token}` }
const textOf = async (path: string, headers: Record<string, string> = {}) =>
  await (await ask(path, headers)).text()

describe("a page", () => {
  test("can be read without script", async () => {
    const page = await textOf(`/watch/${ids.published}`)
    expect(page).toContain("Sintel: official trailer")
    expect(page).toContain(`?at=4102`)
    expect(page).toContain("Taken down: copyright")
    expect(page).toContain('type="range"')
  })

  test("names only its own origin, the edge and the object store", async () => {
    const response = await ask(`/watch/${ids.published}`)
    const policy = response.headers.get("content-security-policy") ?? ""
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain(`connect-src 'self' ${origins.edge} ${origins.objectStore}`)
    expect(policy).toContain("style-src 'self' 'unsafe-inline'")
    const plain = (await ask("/")).headers.get("content-security-policy") ?? ""
    expect(plain).toContain("style-src 'self';")
  })

  test("never lets a title become markup", async () => {
    const page = await textOf(`/studio/${ids.closed}`, owner)
    expect(page).toContain("Forest walk &lt;b>no&lt;/b> score")
    expect(page).not.toContain("<b>no</b>")
  })

  test("speaks the language of the path, then of the cookie, then of the browser", async () => {
    expect(await textOf("/")).toContain('lang="en"')
    expect(await textOf("/", { "accept-language": "fr, ko-KR;q=0.8, en;q=0.5" })).toContain(
      'lang="ko"',
    )
    const cookie = { cookie: "reelog-language=ko" }
    expect(await textOf("/", cookie)).toContain("최신 동영상")
    expect(await textOf("/en", cookie)).toContain("Newest videos")
    const korean = await textOf(`/ko/watch/${ids.published}`)
    expect(korean).toContain(`href="/ko"`)
    expect(korean).toContain("이 동영상의 일생")
  })

  test("has no untranslated sentence, seen in the pseudo language", async () => {
    const page = await textOf(`/ar-XB/operation`, owner)
    expect(page).toContain('dir="rtl"')
    const body = page
      .slice(page.indexOf("<main"), page.indexOf("</main>"))
      .replace(/<[^>]*>/g, "\n")
      .replace(/⟦[^⟧]*⟧/g, "")
    const left = body.split("\n").filter((line) => /[A-Za-z]{3,} [A-Za-z]{3,}/.test(line))
    expect(left).toEqual(["event store", "read store"])
  })
})

describe("the watch page", () => {
  test("at a position is the page as it was", async () => {
    const page = await textOf(`/watch/${ids.published}?at=4165`)
    expect(page).toContain('<h1 id="title"><bdi>sintel_trailer-720p</bdi></h1>')
    expect(page).toContain("You see this page as it was on")
    expect(page).toContain("Watchable, while it is still being uploaded")
    expect(page).toContain("ready to 0:26")
  })

  test("of a moment before the video is not found", async () => {
    expect((await ask(`/watch/${ids.published}?at=17`)).status).toBe(404)
  })

  test("of a closed video answers 451 and shows its life, not its title", async () => {
    const response = await ask(`/watch/${ids.closed}`)
    expect(response.status).toBe(451)
    const page = await response.text()
    expect(page).toContain("copyright")
    expect(page).not.toContain("Forest walk")
    expect((await ask(`/watch/${ids.closed}?at=11500`)).status).toBe(451)
  })

  test("tells strangers no title that was held in private, at no moment", async () => {
    const path = `/watch/${ids.opened}`
    expect(await textOf(path)).toContain("Open to friends")
    expect(await textOf(path)).not.toContain("Not for you yet")
    expect((await ask(`${path}?at=15063`)).status).toBe(404)
    expect(await textOf(path, owner)).toContain("Not for you yet")
    expect(await textOf(`${path}?at=15063`, owner)).toContain("Not for you yet")
  })

  test("of nothing answers 404, however it is spelt", async () => {
    for (const path of ["/watch/loc0000000000000009", "/watch/..%2f..", "/nothing", "/watch/a/b"]) {
      expect((await ask(path)).status).toBe(404)
    }
  })
})

describe("the studio", () => {
  test("sends strangers to sign in", async () => {
    for (const path of [
      "/studio",
      "/upload",
      "/moderation",
      "/operation",
      `/studio/${ids.making}`,
    ]) {
      const response = await ask(path)
      expect(response.status).toBe(303)
      expect(response.headers.get("location")).toBe("/sign-in")
    }
  })

  test("lists every video with its state", async () => {
    const page = await textOf("/studio", owner)
    for (const word of ["Watchable, still encoding", "Failed", "Taken down", "다람쥐 이야기"]) {
      expect(page).toContain(word)
    }
  })

  test("edits under the revision that was shown", async () => {
    expect(await textOf(`/studio/${ids.published}`, owner)).toContain('data-revision="5"')
  })
})

describe("signing in", () => {
  test("by a one-time link opens a session that no script can read, once", async () => {
    const fresh = siteOf()
    const response = await ask(`/sign-in?code=${code}`, {}, fresh)
    expect(response.status).toBe(303)
    const cookie = response.headers.get("set-cookie") ?? ""
    expect(cookie).toContain(`${sessionCookie}=${token}; HttpOnly; SameSite=Strict`)
    const again = await ask(`/sign-in?code=${code}`, {}, fresh)
    expect(again.status).toBe(403)
    expect(await again.text()).toContain("already used")
  })

  test("out ends the session in the browser", async () => {
    const request = new Request("http://reelog.test/sign-out", { method: "POST", headers: owner })
    const response = await site.handle(request)
    expect(response.headers.get("set-cookie")).toContain("Max-Age=0")
  })
})

describe("when the log is away", () => {
  test("a page says so, and when to come back", async () => {
    const response = await ask(`/watch/${ids.published}`, owner, siteOf(true))
    expect(response.status).toBe(503)
    expect(response.headers.get("retry-after")).toBe("5")
    expect(await response.text()).toContain("Back in a moment")
  })
})

describe("an asset", () => {
  test("is named by its bytes, zipped, and cached for ever", async () => {
    const page = await textOf("/")
    const [, path = ""] = /href="(\/assets\/reelog-[0-9a-f]{16}\.css)"/.exec(page) ?? []
    const response = await ask(path, { "accept-encoding": "gzip" })
    expect(response.headers.get("cache-control")).toContain("immutable")
    expect(response.headers.get("content-encoding")).toBe("gzip")
    const etag = response.headers.get("etag") ?? ""
    const again = await ask(path, { "accept-encoding": "gzip", "if-none-match": etag })
    expect(again.status).toBe(304)
  })
})
