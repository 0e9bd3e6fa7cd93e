/**
 * How the encoders of a piece keep within the memory of a slot, 0.7 GiB: large pictures are looked
 * ahead for fewer frames, and where that is not enough the rungs are shared among several processes,
 * one after the other. Figures are of x264 at its preset `veryfast` where no codec is told, one
 * thread, resident MiB.
 */
import type { Codec, Rung } from "#domain/transcode/facts.ts"
import type { OpenedIndex } from "./source-index.ts"

const most = 690
const program = 60
/** Each rung, whatever its size. */
const encoder = 14
/** A decoder keeps this many pictures, at their full size. */
const heldPictures = 8
const bytesPerPixel = { sdr: 1.5, hdr: 3 }
const perMegapixel = { picture: 36, frameAhead: 3, toneMapping: 24 }
const megapixel = 1_000_000
/** At the presets of `other-codecs.ts`, with all that they look ahead. */
const others: Readonly<Record<Codec, { readonly encoder: number; readonly picture: number }>> = {
  vp9: { encoder: 24, picture: 118 },
  hevc: { encoder: 26, picture: 118 },
  av1: { encoder: 38, picture: 145 },
}

/** Longest first; the shortest looks past a row of B-frames. */
const lookaheads = [20, 16, 12, 8, 4] as const
const shortest = 4
const frugal = 1
/** Rungs together are looked ahead for at least so many frames. */
const together = 8

type Size = Pick<Rung, "width" | "height"> & Partial<Pick<Rung, "codec">>
const area = ({ width, height }: Size) => (width * height) / megapixel

const expected = ({ video }: OpenedIndex, rungs: ReadonlyArray<Size>, lookahead: number) => {
  const { picture, frameAhead, toneMapping } = perMegapixel
  const { isHdr } = video.picture
  const decoder = heldPictures * area(video) * (isHdr ? bytesPerPixel.hdr : bytesPerPixel.sdr)
  const largest = Math.max(...rungs.map(area))
  const encoders = rungs.map((rung) => {
    const other = rung.codec && others[rung.codec]
    if (other !== undefined) return other.encoder + area(rung) * other.picture
    return encoder + area(rung) * (picture + frameAhead * lookahead)
  })
  return (
    program +
    decoder +
    (isHdr ? toneMapping * largest : 0) +
    encoders.reduce((sum, one) => sum + one, 0)
  )
}

/** Frames that the encoders of one process look ahead. */
export const lookaheadOf = (index: OpenedIndex, rungs: ReadonlyArray<Size>): number =>
  lookaheads.find((frames) => expected(index, rungs, frames) <= most) ?? frugal

/**
 * Whether a rung goes without most of its B-frames, for the pictures they keep. A matter of the
 * rung alone, for all its pieces share a header.
 */
export const isFrugal = (index: OpenedIndex, rung: Size): boolean =>
  expected(index, [rung], shortest) > most

/** Rungs by the process that makes them, each lowest first. */
export const processesOf = <R extends Size>(
  index: OpenedIndex,
  rungs: ReadonlyArray<R>,
): ReadonlyArray<ReadonlyArray<R>> => {
  const processes: Array<Array<R>> = []
  for (const rung of [...rungs].reverse()) {
    const last = processes.at(-1)
    if (last === undefined || expected(index, [rung, ...last], together) > most)
      processes.push([rung])
    else last.unshift(rung)
  }
  return processes.reverse()
}
