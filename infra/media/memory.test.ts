import { expect, test } from "bun:test"
import { ladder } from "#domain/transcode/ladder.ts"
import { isFrugal, lookaheadOf, processesOf } from "./memory.ts"
import { openIndex, packIndex, type SourceIndex } from "./source-index.ts"

const packets = { pts: [], size: [], at: [], flags: [] }
const indexOf = (width: number, height: number, isHdr = false) => {
  const index: SourceIndex = {
    ...{ demuxer: "mov", byteLength: 1, units: [], cut: "mp4", audio: null },
    video: {
      ...{ stream: 0, timeBase: [1, 90_000], width, height, cappedTo: null, packets },
      ...{ picture: { isHdr, isInterlaced: false }, frames: [], keys: [] },
    },
    ...{
      moreAudio: [],
      texts: [],
      hasChapters: false,
      hasCaptions: false,
      zero: 0,
      grid: [0],
      end: 90_000,
    },
  }
  return openIndex(packIndex(index, new Uint8Array()))
}
const rungsOf = (width: number, height: number) => ladder({ width, height, framesPerSecond: 30 })

test("up to 1080p one process makes all rungs, looking ahead as far as is worth it", () => {
  const [index, rungs] = [indexOf(1920, 1080), rungsOf(1920, 1080)]
  expect(processesOf(index, rungs)).toEqual([rungs])
  expect(lookaheadOf(index, rungs)).toBe(20)
})

test("the top rung of 2160p has a process of its own and looks less far ahead", () => {
  const [index, rungs] = [indexOf(3840, 2160), rungsOf(3840, 2160)]
  expect(processesOf(index, rungs)).toEqual([rungs.slice(0, -1), rungs.slice(-1)])
  expect(lookaheadOf(index, rungs.slice(-1))).toBe(8)
})

test("what a rung is made like does not depend on the others of its process", () => {
  const [index, rungs] = [indexOf(7680, 4320), rungsOf(7680, 4320)]
  expect(rungs.map((rung) => isFrugal(index, rung))).toEqual([
    ...rungs.slice(0, -1).map(() => false),
    true,
  ])
  expect(processesOf(index, rungs).flat()).toEqual([...rungs])
})
