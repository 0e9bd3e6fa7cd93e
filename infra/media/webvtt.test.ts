import { describe, expect, test } from "bun:test"
import { cuesIn, onTimeline, safeLine, webVtt } from "./webvtt.ts"

const track = (...lines: ReadonlyArray<string>) =>
  webVtt(onTimeline(cuesIn(["WEBVTT", ...lines].join("\n")), 0, 60_000))

describe("a line of text", () => {
  test("keeps bold, italic and underlined, each closed", () => {
    expect(safeLine("<b>a</b> <I>b <u>c")).toBe("<b>a</b> <i>b <u>c</u></i>")
    expect(safeLine("</b>a<b>b</i></b>")).toBe("a<b>b</b>")
  })
  test("loses every other tag, and no script is left of one", () => {
    expect(safeLine('<script>alert(1)</script><img src=x onerror="a">')).toBe("alert(1)")
    expect(safeLine('<b onclick="x">a</b>')).toBe("a")
    expect(safeLine("<scr<b>ipt>a")).toBe("&lt;scr<b>ipt&gt;a</b>")
  })
  test("has no character that could end a cue or begin a tag", () => {
    expect(safeLine("1 < 2 --> 3 & 4 &amp; <3")).toBe("1 &lt; 2 --&gt; 3 &amp; 4 &amp; &lt;3")
    expect(safeLine("a\u0000b\u202ec")).toBe("abc")
  })
})

describe("a track", () => {
  test("is written anew: no settings, no styles, no notes, no empty lines", () => {
    expect(
      track(
        ...["STYLE", "::cue { background: url(http://a) }", "", "NOTE x", ""],
        ...["id", "00:01.000 --> 00:02.500 position:10%", "one", "", "two", "", "bad --> time", ""],
      ),
    ).toBe("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\none\ntwo\nbad --&gt; time\n")
  })
  test("lies on the video's own timeline, nothing before it or behind it", () => {
    const cues = cuesIn(
      [
        ...["00:00:01.000 --> 00:00:02.000", "early", "00:00:09.000 --> 10:00:00.000", "late"],
        ...["00:00:01.200 --> 00:00:02.600", "first", "00:00:30.000 --> 00:00:31.000", "never"],
      ].join("\n"),
    )
    expect(onTimeline(cues, 2000.2, 10_000.3)).toEqual([
      { start: 0, end: 600, lines: ["first"] },
      { start: 7000, end: 10_000, lines: ["late"] },
    ])
  })
  test("of hours is told in hours", () => {
    const [cue] = cuesIn("101:02:03.004 --> 101:02:04.000\na")
    expect(cue?.start).toBe(((101 * 60 + 2) * 60 + 3) * 1000 + 4)
    expect(webVtt(cue === undefined ? [] : [cue])).toContain("101:02:03.004 --> 101:02:04.000")
  })
  test("is bounded", () => {
    const many = Array.from({ length: 30_000 }, () => "00:00.000 --> 00:01.000\na").join("\n")
    expect(cuesIn(many)).toHaveLength(20_000)
    expect(safeLine("x".repeat(10_000))).toHaveLength(400)
  })
})
