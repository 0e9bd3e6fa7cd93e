import { describe, expect, test } from "bun:test"
import { contentTypeOf, rangeOf, type Served, serve } from "./answers.ts"

const served: Served = {
  body: new TextEncoder().encode("0123456789"),
  byteLength: 10,
  etag: '"e"',
  contentType: "video/mp4",
  cacheControl: "no-cache",
}
const ask = (headers: Record<string, string> = {}, method = "GET") =>
  serve(new Request("http://edge/", { method, headers }), served)

describe("a range", () => {
  test("is half-open inside, and may be open or counted from the end", () => {
    expect(rangeOf("bytes=2-4", 10)).toEqual({ from: 2, to: 5 })
    expect(rangeOf("bytes=2-", 10)).toEqual({ from: 2, to: 10 })
    expect(rangeOf("bytes=-3", 10)).toEqual({ from: 7, to: 10 })
    expect(rangeOf("bytes=-30", 10)).toEqual({ from: 0, to: 10 })
    expect(rangeOf("bytes=2-400", 10)).toEqual({ from: 2, to: 10 })
  })

  test("that begins behind the end is told so", () => {
    expect(rangeOf("bytes=10-", 10)).toBe("unsatisfiable")
    expect(rangeOf("bytes=-0", 10)).toBe("unsatisfiable")
    const response = ask({ range: "bytes=10-" })
    expect(response.status).toBe(416)
    expect(response.headers.get("content-range")).toBe("bytes */10")
  })

  test("that is several, or of another unit, or upside down is not a range", () => {
    for (const header of ["bytes=0-1,3-4", "items=0-1", "bytes=4-2", "bytes=-", "bytes=a-b"]) {
      expect(rangeOf(header, 10)).toBeNull()
    }
    expect(ask({ range: "bytes=0-1,3-4" }).status).toBe(200)
  })

  test("is answered with its own length and place", async () => {
    const response = ask({ range: "bytes=2-4" })
    expect(response.status).toBe(206)
    expect(response.headers.get("content-range")).toBe("bytes 2-4/10")
    expect(await response.text()).toBe("234")
  })

  test("of another version is not a range of this one", () => {
    expect(ask({ range: "bytes=2-4", "if-range": '"other"' }).status).toBe(200)
    expect(ask({ range: "bytes=2-4", "if-range": '"e"' }).status).toBe(206)
  })
})

describe("an answer", () => {
  test("has no body for whoever has it, or asks for the head alone", async () => {
    expect(ask({ "if-none-match": '"x", W/"e"' }).status).toBe(304)
    const head = ask({}, "HEAD")
    expect(head.headers.get("content-length")).toBe("10")
    expect(await head.text()).toBe("")
  })

  test("may be read by the page of any origin, without credentials", () => {
    const { headers } = ask()
    expect(headers.get("access-control-allow-origin")).toBe("*")
    expect(headers.has("access-control-allow-credentials")).toBe(false)
    expect(headers.get("access-control-expose-headers")).toContain("content-range")
  })

  test("says what it is by its key", () => {
    expect(contentTypeOf("segments/v/1/audio/0.m4s")).toBe("audio/mp4")
    expect(contentTypeOf("segments/v/1/240p/init.mp4")).toBe("video/mp4")
    expect(contentTypeOf("images/v/1/storyboard.vtt")).toBe("text/vtt; charset=utf-8")
  })
})
