/** The platform's side of the encode bench: what one upload cost it, what its history tells of the tasks, and its renditions as files. */
import { join } from "node:path"
import { TICKS } from "#domain/transcode/facts.ts"
import { capOf } from "#domain/transcode/ladder.ts"
import { reelog, type TestPlatform } from "../../apps/platform/testing.ts"
import type { Rung } from "./bare.ts"
import { secondsByName, secondsOfTree } from "./usage.ts"

/** Compilers and collectors are still busy after some work. */
const SETTLE_SECONDS = 15
const IDLE_SECONDS = 10
/** What is tidied up after a publication is part of its cost. */
const AFTER_SECONDS = 2

export interface Told {
  readonly type: string
  readonly recordedAt: string
  readonly data: {
    readonly taskId?: string
    readonly cpuSeconds?: number
    readonly wallSeconds?: number
    readonly pieces?: ReadonlyArray<{ readonly from?: number }>
  }
}

/** Processor seconds that the platform spends in a second when it has nothing to do. */
export const idleShare = async (platform: TestPlatform) => {
  await Bun.sleep(SETTLE_SECONDS * 1000)
  const before = secondsOfTree(platform.pid)
  await Bun.sleep(IDLE_SECONDS * 1000)
  return (secondsOfTree(platform.pid) - before) / IDLE_SECONDS
}

export const publish = async (platform: TestPlatform, file: string, idle: number) => {
  const before = secondsOfTree(platform.pid)
  const namesBefore = secondsByName(platform.pid)
  const began = performance.now()
  const { result } = await reelog(
    ...([platform, "upload", file, "--title", "Bench", "--wait", "published"] as const),
  )
  if (result.state !== "published") throw new Error(JSON.stringify(result))
  await Bun.sleep(AFTER_SECONDS * 1000)
  const elapsed = (performance.now() - began) / 1000
  const all = secondsOfTree(platform.pid) - before
  const byName = [...secondsByName(platform.pid)]
    .map(([name, spent]) => ({ name, spent: spent - (namesBefore.get(name) ?? 0) }))
    .sort((a, b) => b.spent - a.spent)
  return {
    videoId: String(result.videoId),
    hlsUrl: String(result.hlsUrl),
    elapsed,
    all,
    byName,
    seconds: all - idle * elapsed,
  }
}

const typeOf = ({ data }: Told) => (data.taskId ?? "").split("/")[1]?.split(":")[0] ?? ""
const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, one) => total + one, 0)

/** Of the tasks: how many, their seconds in programs, how busy `slots` were while encoding, where pieces begin. */
export const tasksOf = async (platform: TestPlatform, videoId: string, slots: number) => {
  const answer = await platform.call(`/v1/videos/${videoId}/history`)
  const { events } = (await answer.json()) as { readonly events: ReadonlyArray<Told> }
  const done = events.filter(({ type }) => type === "TaskSucceeded")
  const encodes = done.filter((event) => typeOf(event) === "encode-video")
  const ends = encodes.map(({ recordedAt }) => Date.parse(recordedAt) / 1000)
  const walls = encodes.map(({ data }) => data.wallSeconds ?? 0)
  const span = Math.max(...ends) - Math.min(...ends.map((end, i) => end - (walls[i] ?? 0)))
  const pieces = events
    .filter((event) => event.type === "TaskEmitted" && typeOf(event) === "split")
    .flatMap(({ data }) => data.pieces ?? [])
  const inSlots = done.filter(
    (event) => !["inspect", "split", "package", "publish"].includes(typeOf(event)),
  )
  return {
    count: done.length,
    encodes: encodes.length,
    seconds: sum(done.map(({ data }) => data.cpuSeconds ?? 0)),
    earlySeconds: sum(
      encodes
        .filter(({ data }) => !data.taskId?.includes(":all/"))
        .map(({ data }) => data.cpuSeconds ?? 0),
    ),
    encodeSeconds: sum(encodes.map(({ data }) => data.cpuSeconds ?? 0)),
    slotShare: sum(walls) / (slots * span),
    workerShare: sum(inSlots.map(({ data }) => data.wallSeconds ?? 0)) / (slots * span),
    borders: pieces.map(({ from = 0 }) => from / TICKS),
  }
}

const get = async (url: string) => {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  return answer
}

/** The published ladder, each rung with the cap that an encoder is given. */
export const rungsOf = async (platform: TestPlatform, videoId: string) => {
  const answer = await platform.call(`/v1/videos/${videoId}`)
  const { rungs, source } = (await answer.json()) as {
    readonly rungs: ReadonlyArray<Rung>
    readonly source: { readonly framesPerSecond: number }
  }
  const framesPerSecond = Math.min(60, source.framesPerSecond)
  return rungs.map(({ name, width, height }) => {
    const maxBitsPerSecond = capOf({ width, height, framesPerSecond })
    return { name, width, height, framesPerSecond, maxBitsPerSecond }
  })
}

/** The whole rendition as one file, and where its segments begin. */
export const rendition = async (hlsUrl: string, { name }: Rung, directory: string) => {
  const list = new URL(`${name}.m3u8`, hlsUrl).href
  const lines = (await (await get(list)).text()).split("\n")
  const header = /URI="([^"]+)"/.exec(lines.find((line) => line.startsWith("#EXT-X-MAP")) ?? "")
  const names = [header?.[1] ?? "", ...lines.filter((line) => line !== "" && !line.startsWith("#"))]
  const parts = await Promise.all(
    names.map(async (each) => (await get(new URL(each, list).href)).bytes()),
  )
  const file = join(directory, `reelog-${name}.mp4`)
  await Bun.write(file, Buffer.concat(parts))
  let at = 0
  const starts = lines
    .filter((line) => line.startsWith("#EXTINF:"))
    .map((line) => {
      const start = at
      at += Number.parseFloat(line.slice(8))
      return start
    })
  return { file, starts }
}
