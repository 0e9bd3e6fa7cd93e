/**
 * Three thumbnails, the best of a dozen frames, and a storyboard: small pictures at equal intervals
 * on sprites, with WebVTT that says which part of which sprite belongs to a time. Both are made of
 * key frames alone where there are enough, so that most of the source is neither read nor decoded.
 */
import { Effect } from "effect"
import { TICKS } from "#domain/transcode/facts.ts"
import { crashOf } from "./failures.ts"
import { scaled, timing, toneMapped, within } from "./picture-chain.ts"
import {
  copiesOf,
  extensionOf,
  jpegEncoder,
  jpegsIn,
  readCopies,
  sizesWithin,
} from "./picture-copies.ts"
import { chooseBest, look } from "./picture-scores.ts"
import { everyFrame, inputOf, plain, shoot } from "./picture-shot.ts"
import {
  EncoderCrashed,
  type PictureJob,
  type SpriteFile,
  type StoryboardFiles,
  type ThumbnailFiles,
} from "./port.ts"
import type { Outcome } from "./sandbox/outcome.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch } from "./scratch.ts"
import { KEY, type OpenedIndex, openIndex, ticksOf } from "./source-index.ts"
import { keyFramesFile, type LocalFile, localFile, wholeFile } from "./sparse.ts"
import { spriteSheet, storyboardText } from "./storyboard-sheet.ts"

/** Enough to tell a sharp picture from a blurred one. */
const lookBox = { width: 480, height: 480 }
const thumbnailCount = 3
const candidateCount = 12
/** With fewer key frames than this, other frames are looked at too. */
const leastKeys = 6
/** Key frames further apart than this would show one picture for too long. */
const mostSecondsBetweenKeys = 12

// Thumbnails

/** Third column of the frames' lines. */
const framecrcTimes = (text: string): ReadonlyArray<number> =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => Number(line.split(",")[2]))

/** A file and what of it is looked at: at these times, or every so many frames. */
interface Search {
  readonly local: LocalFile
  readonly before: ReadonlyArray<string>
  readonly select: string
  readonly decoded: number
}

const onlyKeys = ["-discard", "nokey", "-skip_frame", "nokey"]

const isAt = (ticks: ReadonlyArray<number>) =>
  `select='${ticks.map((tick) => `lte(abs(pts-${tick})\\,2)`).join("+")}'`

/** Those of them that are nearest to places spread over the video. */
const spread = (times: ReadonlyArray<number>, end: number): ReadonlyArray<number> => {
  const nearest = Array.from({ length: candidateCount }, (_, i) => {
    const place = ((i + 0.5) * end) / candidateCount
    const after = times.findIndex((time) => time >= place)
    const [before, next] = [times[after < 0 ? times.length - 1 : after - 1], times[after]]
    if (before === undefined || next === undefined) return before ?? next
    return place - before < next - place ? before : next
  })
  return [...new Set(nearest.filter((time) => time !== undefined))]
}

const searchKeys = Effect.fn("searchKeys")(function* <E>(
  { source, directory }: PictureJob<E>,
  index: OpenedIndex,
) {
  const shown = new Set(index.video.frames)
  const keys = index.video.keys.filter((pts) => shown.has(pts))
  if (keys.length < leastKeys) return null
  const wanted = new Set(
    spread(
      keys.map((pts) => ticksOf(index, pts)),
      index.end,
    ),
  )
  const isWanted = (pts: number | null) => pts !== null && wanted.has(ticksOf(index, pts))
  const local = yield* keyFramesFile(source, index, directory, isWanted)
  const search: Search = {
    local,
    before: onlyKeys,
    select: isAt([...wanted]),
    decoded: local.isCut ? wanted.size : keys.length,
  }
  return search
})

const searchFrames = Effect.fn("searchFrames")(function* <E>(
  { source, directory }: PictureJob<E>,
  index: OpenedIndex,
) {
  const { frames, keys } = index.video
  const everything = { key: keys[0] ?? 0, until: Number.POSITIVE_INFINITY }
  const local = yield* localFile(source, index, everything, directory)
  const times = frames.map((pts) => ticksOf(index, pts))
  const search: Search = {
    local,
    before: [],
    select: isAt(spread(times, index.end)),
    decoded: frames.length,
  }
  return search
})

/** Of a source whose times lie, or that is damaged. */
const searchAnything = Effect.fn("searchAnything")(function* <E>(
  { source }: PictureJob<E>,
  index: OpenedIndex,
) {
  const decoded = index.video.frames.length
  const step = Math.max(1, Math.ceil(decoded / candidateCount))
  const select = `select='not(mod(n\\,${step}))'`
  const search: Search = { local: yield* wholeFile(source, index), before: [], select, decoded }
  return search
})

const lookAround = (sandbox: Sandbox) =>
  Effect.fn("lookAround")(function* <E>(
    { directory }: PictureJob<E>,
    index: OpenedIndex,
    { local, before, select, decoded }: Search,
  ) {
    const { width, height } = within(index, lookBox)
    const chain = [
      timing(index, false),
      select,
      scaled({ width, height }),
      ...toneMapped(index),
      "format=yuv420p,split=2[a][b]",
    ]
    const words = [
      ...inputOf(index, local, before),
      ...["-filter_complex", `[${local.map}]${chain.join(",")}`],
      ...["-map", "[a]", ...plain, ...everyFrame, "-frames:v", String(candidateCount)],
      ...["-c:v", "rawvideo", "-f", "rawvideo", "/out/0"],
      ...["-map", "[b]", ...plain, ...everyFrame, "-frames:v", String(candidateCount)],
      ...["-c:v", "rawvideo", "-f", "framecrc", "/out/1"],
    ]
    const outputs = ["looks.yuv", "looks.txt"]
    const outcome = yield* shoot(sandbox)(index, local, directory, decoded, words, outputs)
    const bytes = yield* readScratch(directory, "looks.yuv")
    const times = framecrcTimes((yield* readScratch(directory, "looks.txt")).toString("latin1"))
    const length = (width * height * 3) / 2
    const frames = times
      .slice(0, Math.floor(bytes.length / length))
      .map((at, i) => ({ at, width, height, planes: bytes.subarray(i * length, (i + 1) * length) }))
    return { looked: frames.map(look), outcome }
  })

/** Each chosen frame at each size, as JPEG and as WebP, from one decode. */
const develop = (sandbox: Sandbox) =>
  Effect.fn("develop")(function* <E>(
    { directory }: PictureJob<E>,
    index: OpenedIndex,
    { local, before, decoded }: Search,
    ticks: ReadonlyArray<number>,
  ) {
    const sizes = sizesWithin((side) => within(index, { width: side, height: side }))
    const largest = sizes.at(-1) ?? within(index, lookBox)
    const chain = [
      timing(index, false),
      isAt(ticks),
      ...(index.video.picture.isInterlaced ? ["estdif=mode=frame:deint=interlaced"] : []),
      scaled(largest),
      ...toneMapped(index),
    ]
    const { graph, words, outputs } = copiesOf(sizes)
    const asked = [
      ...inputOf(index, local, before),
      ...["-filter_complex", `[${local.map}]${chain.join(",")},${graph}`],
      ...words(["-frames:v", String(ticks.length)]),
    ]
    const outcome = yield* shoot(sandbox)(index, local, directory, decoded, asked, outputs)
    const copies = yield* readCopies(directory, sizes)
    if (copies.some(({ images }) => images.length !== ticks.length)) {
      return yield* crashOf(outcome, "not all pictures came")
    }
    return { copies, outcome }
  })

export const thumbnailsWith = (sandbox: Sandbox) =>
  Effect.fn("thumbnails")(function* <E>(job: PictureJob<E>) {
    const index = openIndex(job.index)
    const spent = { cpuSeconds: 0, peakMebibytes: 0 }
    const count = ({ cpuSeconds, peakMebibytes }: Outcome) => {
      spent.cpuSeconds += cpuSeconds
      spent.peakMebibytes = Math.max(spent.peakMebibytes, peakMebibytes)
    }
    for (const find of [searchKeys, searchFrames, searchAnything]) {
      const search = yield* find(job, index)
      if (search === null) continue
      const { looked, outcome } = yield* lookAround(sandbox)(job, index, search)
      count(outcome)
      if (looked.length === 0 && find !== searchAnything) continue
      if (looked.length === 0) return yield* crashOf(outcome, "no picture came")
      const best = chooseBest(looked, thumbnailCount).map(({ at }) => at)
      const ticks = [...new Set(best)].sort((a, b) => a - b)
      const developed = yield* develop(sandbox)(job, index, search, ticks)
      count(developed.outcome)
      // A video of one frame has three times the same.
      const images = Array.from({ length: thumbnailCount }, (_, i): ThumbnailFiles => {
        const at = best[i % best.length] ?? 0
        const files = developed.copies.map(({ images: ofTick, ...copy }) => ({
          ...copy,
          name: `${i + 1}-${copy.width}.${extensionOf(copy.format)}`,
          data: ofTick[ticks.indexOf(at)] ?? Buffer.alloc(0),
        }))
        return { at: Math.max(0, at), files }
      })
      return { images, ...spent }
    }
    return yield* new EncoderCrashed({ detail: "no picture came" })
  })

// Storyboard

const keysAreNear = (index: OpenedIndex) => {
  const keys = [...index.video.keys.map((pts) => ticksOf(index, pts)), index.end]
  return keys.every((tick, i) => tick - (keys[i - 1] ?? 0) <= mostSecondsBetweenKeys * TICKS)
}

export const storyboardWith = (sandbox: Sandbox) =>
  Effect.fn("storyboard")(function* <E>({ source, index: bytes, directory }: PictureJob<E>) {
    const index = openIndex(bytes)
    const sheet = spriteSheet(index.end / TICKS, within(index, { width: 160, height: 160 }))
    const byKeys = keysAreNear(index)
    const everything = { key: index.video.keys[0] ?? 0, until: Number.POSITIVE_INFINITY }
    const local = byKeys
      ? yield* keyFramesFile(source, index, directory)
      : yield* localFile(source, index, everything, directory)
    const before = byKeys ? onlyKeys : []
    const filters = [
      timing(index, true),
      // Of an only frame, the one after it tells how long it is shown.
      ...(index.video.frames.length === 1 ? ["tpad=stop=-1:stop_mode=clone"] : []),
      `fps=1/${sheet.secondsEach}:start_time=0:eof_action=pass`,
      `tpad=stop=-1:stop_mode=clone,trim=end_frame=${sheet.tiles}`,
      scaled(sheet.tile),
      ...toneMapped(index),
      "format=yuvj420p",
      `tile=${sheet.columns}x${sheet.rows}`,
    ]
    const { flags } = index.video.packets
    const frames = byKeys
      ? flags.filter((flag) => (flag & KEY) !== 0).length
      : index.video.frames.length
    const words = [
      ...inputOf(index, local, before),
      ...["-map", local.map, "-vf", filters.join(","), ...plain, "-fps_mode", "passthrough"],
      ...[...jpegEncoder, "-f", "mjpeg", "/out/0"],
    ]
    const outputs = ["sprites.mjpeg"]
    const outcome = yield* shoot(sandbox)(index, local, directory, frames, words, outputs)
    const images = jpegsIn(yield* readScratch(directory, "sprites.mjpeg"))
    if (images.length === 0) return yield* crashOf(outcome, "no picture came")
    const sprites = images.map(
      (data, i): SpriteFile => ({
        name: `storyboard-${i}.jpg`,
        width: sheet.columns * sheet.tile.width,
        height: sheet.rows * sheet.tile.height,
        at: i * sheet.columns * sheet.rows * sheet.secondsEach * TICKS,
        data,
      }),
    )
    const { cpuSeconds, peakMebibytes } = outcome
    const vtt = storyboardText(sheet, index.end / TICKS)
    const files: StoryboardFiles = { sprites, vtt, cpuSeconds, peakMebibytes }
    return files
  })
