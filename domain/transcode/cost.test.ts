import { describe, expect, test } from "bun:test"
import { Result } from "effect"
import { parse } from "yaml"
import { planOf } from "./channel-pipeline.ts"
import { cpuSecondsOf, expectedTasks, type Video } from "./cost.ts"
import { type Media, TICKS } from "./facts.ts"
import { builtInTypes } from "./task-types.ts"

const stepsIn = async (name: string) => {
  const tree = parse(await Bun.file(`${import.meta.dir}/${name}`).text())
  return Result.getOrThrow(planOf(tree, builtInTypes)).steps
}

/** As `docs/performance.md` has them: 24 s, pieces of 2, 2, 4, 8 and 8 s. */
const videoOf = (width: number, height: number, rate: number, ladder: ReadonlyArray<number>) => {
  const rungs = ladder.map((side, place) => ({
    ...{ name: `${side}p`, group: `r${place + 1}`, width: Math.round((side * 16) / 9) },
    ...{ height: side, maxBitsPerSecond: 1, codecs: "avc1.64001f" },
  }))
  const picture = { index: 0, codec: "h264", width, height, framesPerSecond: rate }
  const media = {
    ...{ demuxer: "mov", video: { ...picture, bitsPerSecond: null } },
    audio: { index: 1, codec: "aac", channels: 2, samplesPerSecond: 48_000 },
    ...{ durationTicks: 24 * TICKS, targetDuration: 12, byteLength: 1 },
  } as Media
  const each = rungs.map(({ group }) => group)
  const pieces = [2, 2, 4, 8, 8].map((seconds, n) => ({
    ...{ n, frames: seconds * rate, groups: n < 2 ? each : ["all"] },
  }))
  return { media, rungs, pieces } satisfies Video
}

const videoCost = (video: Video, steps: Parameters<typeof expectedTasks>[0]) =>
  cpuSecondsOf(expectedTasks(steps, video).filter(({ type }) => type === "EncodeVideo"))

describe("what a plan is expected to cost", () => {
  test("is near what was measured", async () => {
    const steps = await stepsIn("default.yaml")
    const measured = [
      { video: videoOf(1280, 720, 25, [240, 360, 480, 720]), cpuSeconds: 14.8 },
      { video: videoOf(1920, 1080, 30, [240, 360, 480, 720, 1080]), cpuSeconds: 33 },
      { video: videoOf(1280, 720, 24, [240, 360, 480, 720]), cpuSeconds: 17.32 },
      { video: videoOf(960, 540, 60, [240, 360, 540]), cpuSeconds: 13.21 },
    ]
    for (const { video, cpuSeconds } of measured) {
      const ratio = videoCost(video, steps) / cpuSeconds
      expect(ratio).toBeGreaterThan(0.7)
      expect(ratio).toBeLessThan(1.3)
    }
  })

  test("is less where the top rung is copied, and counts every process that reads", async () => {
    const steps = await stepsIn("default.yaml")
    const video = videoOf(1280, 720, 25, [360, 720])
    const instead = { name: "720p", maxBitsPerSecond: 1, codecs: "avc1.64001f" }
    const rungs = video.rungs.map((rung) =>
      rung.height === 720 ? { ...rung, copied: { instead } } : rung,
    )
    const [all, some] = [videoCost(video, steps), videoCost({ ...video, rungs }, steps)]
    expect(some).toBeLessThan(0.6 * all)
    // 2 pieces x 2 rungs, 3 pieces with all of them
    const encodes = expectedTasks(steps, video).filter(({ type }) => type === "EncodeVideo")
    expect(encodes.map(({ step, piece }) => `${step}/${piece}`)).toEqual([
      ...["encode-video:r1/0", "encode-video:r1/1", "encode-video:r2/0", "encode-video:r2/1"],
      ...["encode-video:all/2", "encode-video:all/3", "encode-video:all/4"],
    ])
  })

  test("of the whole in one task is that of all its parts", async () => {
    const video = videoOf(1280, 720, 25, [360, 720])
    const tasks = expectedTasks(await stepsIn("download-transcode.yaml"), video)
    expect(tasks.map(({ step }) => step)).toEqual(["download-input", "transcode"])
    const parts = videoCost(video, await stepsIn("default.yaml"))
    expect(cpuSecondsOf(tasks)).toBeGreaterThan(0.8 * parts)
  })
})
