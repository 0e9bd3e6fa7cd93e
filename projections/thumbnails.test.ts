import { expect, test } from "bun:test"
import type { DomainEvent } from "#domain/events.ts"
import { Timestamp, VideoId } from "#domain/ids.ts"
import { posterOf, type Thumbnails, withEvent, withMade } from "./thumbnails.ts"

const ofVideo = { videoId: VideoId.make("loc0123456789abcdef"), at: Timestamp.make(1) }
const pictures = (run: number) =>
  [1, 2, 3].map((n) => ({ key: `${run}/${n}`, width: 640, height: 360, at: n, files: [] }))
const after = (known: Thumbnails, event: DomainEvent) => withEvent(known, event) ?? known
const chosen = (choice: number | null): DomainEvent => ({
  ...{ _tag: "ThumbnailChosen", ...ofVideo, choice },
})
const made: DomainEvent = {
  ...{ _tag: "ThumbnailMade", ...ofVideo, image: "0123456789abcdef" },
  picture: { key: "own", width: 320, height: 180, files: [] },
}
const shown = (known: Thumbnails) => posterOf(known)?.key

test("the best is shown until another is chosen, and again when the choice is given up", () => {
  const known = withMade([], pictures(1))
  expect(shown(known)).toBe("1/1")
  expect(shown(after(known, chosen(3)))).toBe("1/3")
  expect(shown(after(after(known, chosen(3)), chosen(null)))).toBe("1/1")
})

test("an own image is shown, stays beside the made ones, and survives another run", () => {
  const own = after(withMade([], pictures(1)), made)
  expect(shown(own)).toBe("own")
  expect(shown(withMade(own, pictures(2)))).toBe("own")
  const back = after(own, chosen(2))
  expect(shown(back)).toBe("1/2")
  expect(back.length).toBe(4)
  expect(shown(withMade(back, pictures(2)))).toBe("2/2")
})

test("of pictures that were made without looking at them the middle one is shown", () => {
  const old = pictures(1).map(({ files: _, ...picture }) => picture)
  expect(shown(withMade([], old))).toBe("1/2")
})
