import { describe, expect, test } from "bun:test"
import { findingsOf } from "./findings.ts"
import type { Told } from "./reader.ts"
import { stories } from "./testing/stories.ts"

const [story = []] = stories.values()
const planned = story.find(({ event }) => event._tag === "TranscodePlanned")
const succeeded = story.find(({ event }) => event._tag === "TaskSucceeded")
const told = (outputs: Readonly<Record<string, unknown>>): Told => {
  if (succeeded?.event._tag !== "TaskSucceeded") throw new Error("the story has no task")
  return { ...succeeded, event: { ...succeeded.event, outputs } as typeof succeeded.event }
}

const loudness = {
  ...{ integratedLufs: -16.2, truePeakDbtp: -1, rangeLu: 4 },
  ...{ isSilent: false, isClipped: false },
}
const rendition = {
  ...{ name: "audio", group: "stereo", language: null, title: null, isDefault: true },
  ...{ codecs: "mp4a.40.2", channels: 2, initBytes: 1, segmentCount: 1, bitsPerSecond: 1 },
}
const heard = told({ audio: { renditions: [{ ...rendition, loudness }] } })
const broken = told({ segments: { n: 0, rungs: [], damaged: true } })

describe("what was found out about a source", () => {
  test("is nothing where no task told it", () => {
    expect(findingsOf(story)).toEqual({ isDamaged: false, loudness: null })
  })

  test("is how loud the sound is that is heard first", () => {
    expect(findingsOf([heard])).toEqual({ isDamaged: false, loudness })
  })

  test("is damage, whichever task saw it, and whatever another says later", () => {
    expect(findingsOf([broken, heard]).isDamaged).toBe(true)
    const sound = told({ audio: { renditions: [], damaged: true } })
    expect(findingsOf([sound]).isDamaged).toBe(true)
  })

  test("is asked anew by a new plan", () => {
    if (planned === undefined) throw new Error("the story has no plan")
    expect(findingsOf([broken, heard, planned])).toEqual({ isDamaged: false, loudness: null })
  })
})
