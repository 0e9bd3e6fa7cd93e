import { expect, test } from "bun:test"
import { attachment } from "./attachment.ts"

const nameIn = (header: string) =>
  decodeURIComponent(/filename\*=UTF-8''([A-Za-z0-9%!#$&+.^_`|~-]+)$/.exec(header)?.[1] ?? "")

test("a file keeps its title in any script, and has a plain name beside it", () => {
  const header = attachment("여름 휴가 (2026) – l'été", "720p")
  expect(nameIn(header)).toBe("여름 휴가 (2026) – l'été_720p.mp4")
  expect(header).toStartWith('attachment; filename="_ _ (2026) _ l_')
  expect(nameIn(attachment("👩‍👩‍👧 family", "360p"))).toBe("👩‍👩‍👧 family_360p.mp4")
})

test("a title that climbs, breaks a line or turns its letters round names a plain file", () => {
  expect(nameIn(attachment('../../etc/pa"sswd\r\nX: y', "720p"))).toBe("etc pa sswd X y_720p.mp4")
  expect(nameIn(attachment("a\u202Egpj.exe", "720p"))).toBe("a gpj.exe_720p.mp4")
  expect(nameIn(attachment("\u0000 . ", "720p"))).toBe("video_720p.mp4")
  expect(Array.from(nameIn(attachment("가".repeat(500), "720p"))).length).toBe(129)
  for (const header of [attachment("\ud800x", "720p"), attachment("é\n", "720p")]) {
    expect(header).toMatch(/^[\x20-\x7e]+$/)
  }
})
