/** Whether the sound of a stream lies where the source has it: by the lag at which the two are most alike. */
import { run } from "./judge-pictures.ts"

const RATE = 8000
const HEARD_SECONDS = 60
const COMPARED_SECONDS = 30
/** Samples to both sides that are tried, and how coarsely first. */
const WIDEST = 4000
const COARSE = 4
const AUDIBLE = 200
/** A steady tone is like itself at every period: then no lag is as good as any. */
const AS_GOOD = 0.97

/** Mono samples on the timeline that begins at `zero`, silence where there is none. */
const samplesOf = async (input: string, map: string, zero: number) => {
  const filters = [
    `aresample=${RATE}:async=1:min_hard_comp=0.01`,
    `asetpts=PTS-(${zero})/TB`,
    `atrim=start=0:end=${HEARD_SECONDS}`,
    "aresample=async=1:first_pts=0",
  ]
  const { out } = await run([
    ...["ffmpeg", "-nostdin", "-v", "error", "-copyts", "-protocol_whitelist", "file,crypto,data"],
    ...["-i", input, "-map", map, "-af", filters.join(","), "-ac", "1", "-f", "s16le", "-"],
  ])
  return new Int16Array(out.buffer, out.byteOffset, out.length >> 1)
}

const likeness = (one: Int16Array, other: Int16Array, lag: number, length: number) => {
  let sum = 0
  for (let i = WIDEST; i < length - WIDEST; i++) sum += (one[i] ?? 0) * (other[i + lag] ?? 0)
  return sum
}

const lagOf = (source: Int16Array, stream: Int16Array): number | null => {
  const length = Math.min(source.length, stream.length, RATE * COMPARED_SECONDS)
  if (length <= 3 * WIDEST || !source.some((sample) => Math.abs(sample) > AUDIBLE)) return null
  let best = { lag: 0, likeness: Number.NEGATIVE_INFINITY }
  const look = (from: number, to: number, step: number) => {
    for (let lag = from; lag <= to; lag += step) {
      const found = likeness(source, stream, lag, length)
      if (found > best.likeness) best = { lag, likeness: found }
    }
  }
  look(-WIDEST, WIDEST, COARSE)
  look(best.lag - COARSE, best.lag + COARSE, 1)
  const here = likeness(source, stream, 0, length)
  return here > best.likeness * AS_GOOD ? 0 : best.lag
}

export interface Heard {
  /** `null`: too short or too quiet to tell. */
  readonly lagSeconds: number | null
  /** Of the first minute. */
  readonly sourceSeconds: number
  readonly streamSeconds: number
}

interface Sound {
  readonly file: string
  readonly map: string
  /** When the common timeline begins. */
  readonly zero: number
}

export const hear = async (source: Sound, stream: Sound): Promise<Heard> => {
  const one = await samplesOf(source.file, source.map, source.zero)
  const other = await samplesOf(stream.file, stream.map, stream.zero)
  const lag = lagOf(one, other)
  return {
    lagSeconds: lag === null ? null : lag / RATE,
    sourceSeconds: one.length / RATE,
    streamSeconds: other.length / RATE,
  }
}
