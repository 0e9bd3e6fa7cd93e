/**
 * The tasks a plan comes to for one video, and what they are expected to cost before anything is
 * run. The rates are those of one thread of the machine in `docs/performance.md`: good for
 * comparing plans, and within 30 % of what was measured there.
 */
import type { Piece, Step } from "#domain/scheduling/events.ts"
import { type Media, type Rung, TICKS } from "./facts.ts"

/** x264 veryfast, whatever the size. */
const ENCODED_PIXELS_PER_SECOND = 105_000_000
/** Decoding and scaling, by the source's pixels; each process does it anew. */
const READ_PIXELS_PER_SECOND = 254_000_000
/** AAC, beside the time of the sound. */
const SOUND_SPEED = 45
/** Of other codecs: AV1, the one to choose, takes so many times the time of H.264. */
const MORE_COST = 2.2
/** A process in its sandbox, and what the worker does around it. */
const SECONDS_PER_TASK = 0.15
/** Of what hardly grows with the video. A type that is not told here costs what it says for fair shares. */
const fixed: ReadonlyMap<string, number> = new Map([
  ["Inspect", 0.3],
  ["Split", 0],
  ["Thumbnails", 0.5],
  ["Storyboard", 0.5],
  ["ExtractText", 0.1],
  ["Grayscale", 0],
  ["Package", 0],
  ["Publish", 0],
  ["Download", 0],
])

export interface Video {
  readonly media: Media
  readonly rungs: ReadonlyArray<Rung>
  readonly pieces: ReadonlyArray<Piece>
}

export interface ExpectedTask {
  readonly step: string
  readonly type: string
  readonly piece: number | null
  readonly cpuSeconds: number
}

const pixelsOf = ({ width, height }: { readonly width: number; readonly height: number }) =>
  width * height

/** Copied pictures are only looked at. */
const encodedPixels = (rungs: ReadonlyArray<Rung>) =>
  rungs.reduce((sum, rung) => sum + (rung.copied === undefined ? pixelsOf(rung) : 0), 0)

const videoSeconds = ({ video }: Media, rungs: ReadonlyArray<Rung>, frames: number) =>
  (frames * encodedPixels(rungs)) / ENCODED_PIXELS_PER_SECOND +
  (frames * pixelsOf(video)) / READ_PIXELS_PER_SECOND

const secondsOf = ({ type, group, seconds = 1 }: Step, video: Video, piece: Piece | undefined) => {
  const { media, rungs, pieces } = video
  const sound = media.audio === null ? 0 : media.durationTicks / TICKS / SOUND_SPEED
  const frames = (some: ReadonlyArray<Piece>) =>
    some.reduce((sum, { frames: count = 0 }) => sum + count, 0)
  switch (type) {
    case "EncodeVideo": {
      const isOne = group !== undefined && group !== "all"
      const own = isOne ? rungs.filter((rung) => rung.group === group) : rungs
      return videoSeconds(media, own, piece === undefined ? 0 : frames([piece]))
    }
    case "EncodeMore":
      return MORE_COST * videoSeconds(media, rungs, piece === undefined ? 0 : frames([piece]))
    case "EncodeAudio":
      return sound
    case "Transcode":
      return sound + videoSeconds(media, rungs, frames(pieces))
    default:
      return fixed.get(type) ?? seconds
  }
}

const isFor = ({ group }: Step, { groups }: Piece) =>
  group === undefined || groups === undefined || groups.includes(group)

/** In the order of the plan; a step of a group that this video does not have comes to nothing. */
export const expectedTasks = (
  steps: ReadonlyArray<Step>,
  video: Video,
): ReadonlyArray<ExpectedTask> =>
  steps.flatMap((step) => {
    const task = (piece?: Piece): ExpectedTask => ({
      ...{ step: step.name, type: step.type, piece: piece?.n ?? null },
      cpuSeconds: SECONDS_PER_TASK + secondsOf(step, video, piece),
    })
    if (step.each === undefined) return [task()]
    return video.pieces.filter((piece) => isFor(step, piece)).map(task)
  })

export const cpuSecondsOf = (tasks: ReadonlyArray<ExpectedTask>): number =>
  tasks.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
