/** A finished HLS stream brought to a directory, and what its segments say of themselves. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { boxesIn, findBox } from "#infra/media/mp4-boxes.ts"

const NOT_SYNC = 0x10000

const linesOf = (text: string) => text.split(/\r?\n/).filter(Boolean)

/** The multivariant list, all it names and all these name, under the names they have. */
export const fetched = async (master: string, directory: string): Promise<string> => {
  const take = async (uri: string): Promise<void> => {
    const answer = await fetch(new URL(uri, master))
    if (!answer.ok) throw new Error(`${uri}: ${answer.status}`)
    const bytes = await answer.bytes()
    const path = join(directory, uri)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
    if (!uri.endsWith(".m3u8")) return
    const lines = linesOf(new TextDecoder().decode(bytes))
    const named = lines.flatMap((line) =>
      line.startsWith("#") ? (/URI="([^"]+)"/.exec(line)?.[1] ?? []) : line,
    )
    for (const each of new Set(named)) await take(each)
  }
  const name = new URL(master).pathname.split("/").at(-1) ?? ""
  await take(name)
  return join(directory, name)
}

export interface SegmentFacts {
  readonly startSeconds: number
  /** By its samples. */
  readonly seconds: number
  /** By the playlist. */
  readonly toldSeconds: number
  readonly beginsWithKey: boolean
}

export interface MediaList {
  readonly name: string
  readonly path: string
  readonly isWhole: boolean
  readonly segments: ReadonlyArray<SegmentFacts>
}

/** Of our own writer: one fragment, one run, every field of a sample written out. */
const factsOf = (file: Buffer, scale: number, toldSeconds: number): SegmentFacts => {
  const tfdt = findBox(file, "moof/traf/tfdt")
  const trun = findBox(file, "moof/traf/trun")
  const tfhd = findBox(file, "moof/traf/tfhd")
  if (tfdt === undefined || trun === undefined || tfhd === undefined)
    throw new Error("a segment without a fragment")
  const headFlags = file.readUIntBE(tfhd.body + 1, 3)
  const defaultDuration = (headFlags & 8) === 0 ? 0 : file.readUInt32BE(tfhd.body + 8)
  const flags = file.readUIntBE(trun.body + 1, 3)
  const count = file.readUInt32BE(trun.body + 4)
  const widths = [256, 512, 1024, 2048].map((bit) => ((flags & bit) === 0 ? 0 : 4))
  const [duration = 0, size = 0, own = 0, offset = 0] = widths
  let at = trun.body + 8 + ((flags & 1) === 0 ? 0 : 4)
  const firstFlags = (flags & 4) === 0 ? null : file.readUInt32BE(at)
  if (firstFlags !== null) at += 4
  const its = firstFlags ?? (own === 0 ? 0 : file.readUInt32BE(at + duration + size))
  let ticks = 0
  for (let i = 0; i < count; i++) {
    ticks += duration === 0 ? defaultDuration : file.readUInt32BE(at)
    at += duration + size + own + offset
  }
  const isLong = file[tfdt.body] === 1
  const start = isLong
    ? Number(file.readBigUInt64BE(tfdt.body + 4))
    : file.readUInt32BE(tfdt.body + 4)
  return {
    startSeconds: start / scale,
    seconds: ticks / scale,
    toldSeconds,
    beginsWithKey: (its & NOT_SYNC) === 0,
  }
}

const timescaleOf = (init: Buffer) => {
  const header = findBox(init, "moov/trak/mdia/mdhd")
  if (header === undefined) throw new Error("an init segment without a track")
  return init.readUInt32BE(header.body + (init[header.body] === 1 ? 20 : 12))
}

const mediaListOf = (directory: string, name: string): MediaList => {
  const path = join(directory, name)
  const lines = linesOf(readFileSync(path, "utf8"))
  const map = /URI="([^"]+)"/.exec(lines.find((line) => line.startsWith("#EXT-X-MAP")) ?? "")?.[1]
  const scale = timescaleOf(readFileSync(join(directory, map ?? "")))
  const told = lines
    .filter((line) => line.startsWith("#EXTINF:"))
    .map((line) => Number.parseFloat(line.slice(8)))
  const segments = lines
    .filter((line) => !line.startsWith("#"))
    .map((uri, i) => {
      const file = readFileSync(join(directory, uri))
      if ([...boxesIn(file)].length === 0) throw new Error(`${uri} holds no boxes`)
      return factsOf(file, scale, told[i] ?? 0)
    })
  return { name, path, isWhole: lines.includes("#EXT-X-ENDLIST"), segments }
}

export interface Stream {
  readonly master: string
  readonly video: ReadonlyArray<MediaList & { readonly width: number; readonly height: number }>
  readonly sound: ReadonlyArray<MediaList>
}

/** Of the files that `fetched` brought. */
export const streamOf = (master: string): Stream => {
  const directory = dirname(master)
  const lines = linesOf(readFileSync(master, "utf8"))
  const video = lines.flatMap((line, i) => {
    const size = /^#EXT-X-STREAM-INF:.*RESOLUTION=(\d+)x(\d+)/.exec(line)
    if (size === null) return []
    const list = mediaListOf(directory, lines[i + 1] ?? "")
    return [{ ...list, width: Number(size[1]), height: Number(size[2]) }]
  })
  const sound = lines.flatMap((line) => {
    const uri = /^#EXT-X-MEDIA:TYPE=AUDIO.*URI="([^"]+)"/.exec(line)?.[1]
    return uri === undefined ? [] : [mediaListOf(directory, uri)]
  })
  return { master, video, sound }
}

const near = (one: number, other: number) => Math.abs(one - other) <= 0.0005
/** A frame of sound is 21 ms long. */
const mostOffSeconds = 0.025

/** Problems in words: each segment begins with a key frame, where the one before ends, in every rung. */
export const segmentProblems = ({ video, sound }: Stream): ReadonlyArray<string> => {
  const within = [...video, ...sound].flatMap(({ name, isWhole, segments }) => [
    ...(isWhole ? [] : [`${name} does not end`]),
    ...segments.flatMap(({ startSeconds, seconds, toldSeconds, beginsWithKey }, i) => {
      const next = segments[i + 1]
      const end = startSeconds + seconds
      return [
        ...(beginsWithKey ? [] : [`${name}: segment ${i} does not begin with a key frame`]),
        ...(next === undefined || near(end, next.startSeconds)
          ? []
          : [`${name}: segment ${i} ends at ${end}, the next begins at ${next.startSeconds}`]),
        ...(Math.abs(seconds - toldSeconds) < mostOffSeconds
          ? []
          : [`${name}: segment ${i} lasts ${seconds} s, its list says ${toldSeconds}`]),
      ]
    }),
  ])
  const [first] = video
  const starts = first?.segments.map(({ startSeconds }) => startSeconds) ?? []
  const apart = video
    .filter(
      ({ segments }) =>
        segments.length !== starts.length ||
        segments.some(({ startSeconds }, i) => !near(startSeconds, starts[i] ?? 0)),
    )
    .map(({ name }) => `${name}: its segments do not line up with those of ${first?.name}`)
  return [...within, ...apart]
}
