/**
 * A piece whose encoder makes no key frames where it is told is encoded segment by segment, each by
 * a process of its own that begins with one.
 */
import { Effect } from "effect"
import { hearsOfKeyFrames } from "./other-codecs.ts"
import { planOf } from "./place-samples.ts"
import { type Encoded, type EncodeJob, EncoderCrashed, type MediaFailure } from "./port.ts"
import { openIndex, timelineOf } from "./source-index.ts"

type Rendition = Encoded["rungs"][number]

/** `null`: their headers differ. */
const joinedRung = (parts: ReadonlyArray<Rendition>): Rendition | null => {
  const [first] = parts
  if (first === undefined) return null
  const isOne = parts.every(({ init }) => Buffer.compare(init, first.init) === 0)
  return isOne ? { ...first, segments: parts.flatMap(({ segments }) => segments) } : null
}

const joined = (parts: ReadonlyArray<Encoded>) => {
  const [first] = parts
  const rungs = (first?.rungs ?? []).map((_, i) =>
    joinedRung(parts.flatMap((part) => part.rungs[i] ?? [])),
  )
  const whole = rungs.filter((rung) => rung !== null)
  if (first === undefined || whole.length < rungs.length)
    return Effect.fail(new EncoderCrashed({ detail: "segments under different headers" }))
  return Effect.succeed<Encoded>({
    rungs: whole,
    // One that had to be cut otherwise tells of the source, whatever the others did.
    way: parts.find(({ way }) => way !== first.way && way !== "sparse")?.way ?? first.way,
    isDamaged: parts.some(({ isDamaged }) => isDamaged === true),
    cpuSeconds: parts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakMebibytes: Math.max(...parts.map(({ peakMebibytes }) => peakMebibytes)),
  })
}

export const bySegments =
  (encode: <E>(job: EncodeJob<E>) => Effect.Effect<Encoded, MediaFailure | E>) =>
  <E>(job: EncodeJob<E>): Effect.Effect<Encoded, MediaFailure | E> => {
    if (job.rungs.every(hearsOfKeyFrames)) return encode(job)
    const index = openIndex(job.index)
    const { from = 0, to = index.end } = job.piece
    const { segments } = planOf(timelineOf(index), from, to)
    return Effect.flatMap(
      Effect.forEach(segments, (segment) =>
        encode({ ...job, piece: { ...job.piece, from: segment.from, to: segment.to } }),
      ),
      joined,
    )
  }
