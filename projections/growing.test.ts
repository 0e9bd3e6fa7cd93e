import { expect, test } from "bun:test"
import { type Media, type Rung, TICKS } from "#domain/transcode/facts.ts"
import { growing, type Run } from "./growing.ts"

const rung = (group: string, height: number): Rung => ({
  ...{ name: `${height}p`, group, width: height * 2, height },
  ...{ maxBitsPerSecond: height * 1000, codecs: "avc1.64001f" },
})
const ladder = [rung("r1", 240), rung("r2", 360), rung("r3", 720)]
const media: Media = {
  demuxer: "mov",
  video: {
    ...{ index: 0, codec: "h264", width: 1440, height: 720 },
    ...{ framesPerSecond: 25, bitsPerSecond: null },
  },
  audio: null,
  durationTicks: 12 * TICKS,
  targetDuration: 4,
  byteLength: 1_000_000,
}
/** Both first pieces of each of these rungs, of so many bytes each. */
const runWith = (bytes: Readonly<Record<string, number>>): Run => ({
  types: {},
  media,
  ladder,
  chunks: { known: 6, whole: true },
  rungs: Object.fromEntries(
    Object.entries(bytes).map(([name, size]) => [
      name,
      {
        pieces: 2,
        segments: [0, 1].map((k) => ({
          ...{ k, start: k * 2 * TICKS, duration: 2 * TICKS, bytes: size },
        })),
        ahead: {},
      },
    ]),
  ),
  sounds: {},
  audio: null,
  text: null,
})
const named = (bytes: Readonly<Record<string, number>>) =>
  growing(runWith(bytes), 0)?.named.map(({ name }) => name)

test("a middle rung is named when all have told what they come to, and one too near to another never", () => {
  expect(named({ "240p": 50_000, "360p": 100_000 })).toEqual(["240p"])
  expect(named({ "240p": 50_000, "720p": 250_000 })).toEqual(["240p", "720p"])
  expect(named({ "240p": 50_000, "360p": 100_000, "720p": 250_000 })).toEqual([
    "240p",
    "360p",
    "720p",
  ])
  expect(named({ "240p": 50_000, "360p": 200_000, "720p": 250_000 })).toEqual(["240p", "720p"])
})
