/**
 * P6 of the performance goals: how busy the encode slots are while videos are queued, and what a task
 * costs outside the programs. Videos are made on the spot, so that nothing of one is reused.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { forget, madeVideo, reelog, startPlatform, until } from "../../apps/platform/testing.ts"
import { idleShare, publish, type Told } from "./encoded.ts"
import { adoptOrphans, secondsOfTree } from "./usage.ts"

const WORKERS = 2
const { values } = parseArgs({
  options: {
    videos: { type: "string", default: "10" },
    seconds: { type: "string", default: "12" },
  },
})
const slots = WORKERS * Math.max(1, Math.floor(availableParallelism() / WORKERS))
const stepOf = ({ data }: Told) => (data.taskId ?? "").split("/")[1]?.split(":")[0] ?? ""
/** Tasks that run in light slots. */
const LIGHT = new Set(["inspect", "split", "encode-audio"])

adoptOrphans()
const directory = mkdtempSync(join(tmpdir(), "reelog-bench-"))
const platform = await startPlatform({ workers: WORKERS })
try {
  await publish(platform, madeVideo(directory, "warm.mp4", 4, "320x180"), 0)
  const idle = await idleShare(platform)
  const files = Array.from({ length: Number(values.videos) }, (_, i) =>
    madeVideo(directory, `queued-${i}.mp4`, Number(values.seconds), "1280x720"),
  )
  const before = secondsOfTree(platform.pid)
  const began = performance.now()
  const uploads = await Promise.all(
    files.map((file) => reelog(platform, "upload", file, "--wait", "uploaded")),
  )
  const ids = uploads.map(({ result }) => String(result.videoId))
  await Promise.all(ids.map((id) => until(platform, id, (event) => event === "published")))
  const elapsed = (performance.now() - began) / 1000
  const spent = secondsOfTree(platform.pid) - before - idle * elapsed

  const histories = await Promise.all(
    ids.map(async (id) => {
      const answer = await platform.call(`/v1/videos/${id}/history`)
      return ((await answer.json()) as { readonly events: ReadonlyArray<Told> }).events
    }),
  )
  const done = histories.flat().filter(({ type }) => type === "TaskSucceeded")
  const inSlots = done.filter((event) => !LIGHT.has(stepOf(event)))
  const ends = inSlots.map(({ recordedAt }) => Date.parse(recordedAt) / 1000)
  const walls = inSlots.map(({ data }) => data.wallSeconds ?? 0)
  const first = Math.min(...ends.map((end, i) => end - (walls[i] ?? 0)))
  const busy = walls.reduce((sum, wall) => sum + wall, 0) / (slots * (Math.max(...ends) - first))
  const programs = done.reduce((sum, { data }) => sum + (data.cpuSeconds ?? 0), 0)
  const outside = spent - programs
  console.log(
    [
      `${ids.length} videos of ${values.seconds} s published in ${elapsed.toFixed(0)} s on ${slots} slots`,
      `P6 slots busy ${(busy * 100).toFixed(1)} % (goal 92)`,
      `P6 outside the programs ${(outside / done.length).toFixed(3)} CPU s a task (goal 0.15), ${((outside / spent) * 100).toFixed(1)} % of ${spent.toFixed(1)} (goal 3); ${done.length} tasks`,
    ].join("\n"),
  )
} finally {
  await platform.stop()
  forget(platform)
  rmSync(directory, { recursive: true, force: true })
}
