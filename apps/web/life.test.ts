import { describe, expect, test } from "bun:test"
import { lifeOf, momentAt } from "./life.ts"
import { memoryReader } from "./testing/reader.ts"
import { begun, ids, stories } from "./testing/stories.ts"

const day = 86_400_000
const now = begun + 4 * day
const lifeOfStory = (id: string) => lifeOf(stories.get(id) ?? [], now)

describe("the life of a video", () => {
  test("is cut into made, open, held and open again", () => {
    const { acts } = lifeOfStory(ids.published)
    expect(acts.map(({ kind, again }) => [kind, again])).toEqual([
      ["made", false],
      ["open", false],
      ["held", false],
      ["open", true],
    ])
    expect(acts.map(({ to, from }) => Math.round(to - from))).toEqual([
      38_000,
      Math.round(2.8 * day) - 38_000,
      Math.round(0.8 * day),
      Math.round(0.4 * day),
    ])
  })

  test("lays its moments in the order of the log, from 0 to at most 100", () => {
    for (const id of Object.values(ids)) {
      const places = lifeOfStory(id).moments.map(({ x }) => x)
      expect(places).toEqual([...places].sort((a, b) => a - b))
      expect(places.every((x) => x >= 0 && x <= 100)).toBe(true)
    }
  })

  test("counts what can be watched without a gap, on each rung", () => {
    const { moments } = lifeOfStory(ids.published)
    const playable = moments.find(({ event }) => event._tag === "VideoPlayable")
    expect(playable?.facts.ready).toEqual({ "240p": 26, "360p": 13, "720p": 0 })
    expect(moments.at(-1)?.facts.ready).toEqual({ "240p": 52, "360p": 52, "720p": 52 })
  })

  test("of a failed video ends in an act that is held", () => {
    const { acts } = lifeOfStory(ids.failed)
    expect(acts.map(({ kind }) => kind)).toEqual(["made", "held"])
  })

  test("stands at the last event that is not after a position", () => {
    const life = lifeOfStory(ids.published)
    expect(life.moments[momentAt(life, "4110")]?.position).toBe("4109")
    expect(momentAt(life, "999")).toBe(0)
    expect(momentAt(life, undefined)).toBe(life.moments.length - 1)
  })

  test("draws a bar for each part, each encoded piece and the sound", () => {
    const { bars } = lifeOfStory(ids.published)
    const count = (lane: string) => bars.filter((bar) => bar.lane === lane).length
    expect(["parts", "240p", "360p", "720p", "audio"].map(count)).toEqual([4, 4, 4, 4, 1])
  })

  test("of nothing is empty", () => {
    expect(lifeOf([], now).moments).toEqual([])
    expect(memoryReader({ edge: "", thumbnailUrl: null })).toBeDefined()
  })
})
