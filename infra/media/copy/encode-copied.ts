/**
 * `encode` of a piece whose top rung is the source itself: that rung's segments are made of the
 * source's slices, and the other rungs are encoded from these very segments, where no error is
 * forgiven: so what viewers are shown has been decoded before. Where its bytes prove unfit, all
 * rungs are encoded from the source, the top one under another name.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { type Rung, TICKS } from "#domain/transcode/facts.ts"
import { encodedInstead } from "#domain/transcode/ladder.ts"
import { avc1, initOf, segmentOf, VIDEO_DELAY } from "../cmaf.ts"
import { filesOf, limitsOf } from "../encode.ts"
import { encodeArguments, proofArguments } from "../encode-arguments.ts"
import { failureOf } from "../failures.ts"
import { readFragments } from "../fragments.ts"
import { processesOf } from "../memory.ts"
import { type Placed, type Plan, placeExactly, planOf } from "../place-samples.ts"
import type { ByteRange, Encoded, EncodeJob, MediaFailure, Source } from "../port.ts"
import type { Confined } from "../sandbox/command.ts"
import type { Outcome } from "../sandbox/outcome.ts"
import type { Sandbox } from "../sandbox/sandbox.ts"
import { mergeRanges, readScratch, scratch } from "../scratch.ts"
import { type OpenedIndex, openIndex, timelineOf } from "../source-index.ts"
import { knownSets } from "./access-unit.ts"
import { copiedSamples, samplesIn } from "./copied-samples.ts"
import { readAvcC } from "./parameter-sets.ts"
import { pictureTrack } from "./picture-track.ts"
import { attempt, CopyRefused, reasonOf } from "./refused.ts"

type Rendition = Encoded["rungs"][number]

/** The bytes of these ranges, in few reads. */
const readRanges = Effect.fnUntraced(function* <E>(
  source: Source<E>,
  ranges: ReadonlyArray<ByteRange>,
) {
  const blocks = yield* Effect.forEach(mergeRanges(ranges), ({ from, to }) =>
    Effect.map(source.read({ from, to }), (bytes) => ({ from, to, bytes: Buffer.from(bytes) })),
  )
  return ({ from, to }: ByteRange): Buffer => {
    const block = blocks.find((it) => it.from <= from && to <= it.to)
    return block?.bytes.subarray(from - block.from, to - block.from) ?? Buffer.alloc(0)
  }
})

const copiedRendition = (
  { name, width, height }: Rung,
  avcC: Buffer,
  placed: Placed,
  { segments }: Plan,
): Rendition => ({
  rung: name,
  init: initOf({
    entry: avc1(width, height, avcC),
    timescale: TICKS,
    delay: VIDEO_DELAY,
    size: { width, height },
  }),
  segments: segments.map(({ k, from, to }, i) => {
    const bytes = segmentOf(k + 1, placed[i] ?? [], to, VIDEO_DELAY)
    return { k, start: from, duration: to - from, bytes: bytes.length, data: bytes }
  }),
})

/** The rung's segments as they would be published. */
const copyPiece = Effect.fn("copyPiece")(function* <E>(
  job: EncodeJob<E>,
  index: OpenedIndex,
  top: Rung,
  plan: Plan,
) {
  const record = pictureTrack(index.head, index.video.stream)?.avcC
  if (index.copied === undefined || record == null)
    return yield* new CopyRefused({ code: "index", detail: "" })
  const known = yield* Effect.fromResult(attempt(() => knownSets(readAvcC(record))))
  const { from = 0, to = index.end } = job.piece
  const samples = samplesIn(index, from, to)
  const bytesOf = yield* readRanges(
    job.source,
    samples.map(({ range }) => range),
  )
  const placed = yield* Effect.fromResult(
    attempt(() => copiedSamples(samples, bytesOf, known, plan)),
  )
  return copiedRendition(top, Buffer.from(index.copied.avcC, "base64"), placed, plan)
})

const lastWords = (stderr: string) =>
  (stderr.trim().split("\n").at(-1) ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 120)

const decoded = (outcome: Outcome, { limits }: Confined) => {
  const failure = failureOf(outcome, limits)
  if (failure !== null) return Effect.fail<MediaFailure | CopyRefused>(failure)
  if (outcome.ending === "ok") return Effect.void
  const { stderr } = outcome
  return Effect.fail(new CopyRefused({ code: "undecodable", detail: lastWords(stderr) }))
}

/** Of framecrc: stream, dts, pts, … */
const timesIn = (text: string): ReadonlyArray<number> =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => Number(line.split(",")[2]))

const isAsPlanned = (times: ReadonlyArray<number>, { frames }: Plan) =>
  times.length === frames.length && times.every((time, i) => time === frames[i])

const differs = new CopyRefused({ code: "decodes-otherwise", detail: "" })

/** Rungs encoded of what is published; none: it is only decoded. */
const fromPublished = (sandbox: Sandbox) =>
  Effect.fn("encodePublished")(function* (
    index: OpenedIndex,
    plan: Plan,
    input: string,
    directory: string,
    rungs: ReadonlyArray<Rung>,
    isHurried: boolean,
  ) {
    const { from = 0 } = plan.segments[0] ?? {}
    const { to = from } = plan.segments.at(-1) ?? {}
    const limits = limitsOf(index, rungs, plan.frames.length, (to - from) / TICKS)
    const encoding = encodeArguments({
      ...{ index, rungs, cut: { _tag: "Published" }, seek: null, isTolerant: false, isHurried },
      local: { path: input, map: "0:v:0", seeks: false, isCut: true },
      starts: plan.segments.map((segment) => segment.from),
      isFirst: from === 0,
    })
    const command: Confined = {
      tool: "ffmpeg",
      arguments: rungs.length === 0 ? proofArguments(index) : encoding,
      input,
      outputs: rungs.map((_, i) => join(directory, `rung-${i}.mp4`)),
      limits: { ...limits, stdoutBytes: limits.stdoutBytes + 128 * plan.frames.length },
    }
    const outcome = yield* sandbox.run(command)
    yield* decoded(outcome, command)
    if (rungs.length === 0 && !isAsPlanned(timesIn(outcome.stdout), plan)) return yield* differs
    const made = yield* Effect.forEach(rungs, (rung, i) =>
      Effect.gen(function* () {
        const file = yield* readScratch(directory, `rung-${i}.mp4`)
        const placed = placeExactly(readFragments(file)?.samples ?? [], plan, false)
        const files = placed === null ? null : filesOf(rung, file, placed, plan)
        return files ?? (yield* differs)
      }),
    )
    return { made, outcome }
  })

export const copyingWith = (
  sandbox: Sandbox,
  encodeFromSource: <E>(job: EncodeJob<E>) => Effect.Effect<Encoded, MediaFailure | E>,
) => {
  const encodeCopied = Effect.fn("encodeCopied")(function* <E>(job: EncodeJob<E>, top: Rung) {
    const index = openIndex(job.index)
    const { from = 0, to = index.end } = job.piece
    const plan = planOf(timelineOf(index), from, to)
    const copied = yield* copyPiece(job, index, top, plan)
    const input = join(job.directory, "copied.mp4")
    const bytes = Buffer.concat([copied.init, ...copied.segments.map(({ data }) => data)])
    yield* scratch(() => writeFile(input, bytes))

    const others = job.rungs.filter((rung) => rung !== top)
    const processes = others.length === 0 ? [[]] : processesOf(index, others)
    const runs = yield* Effect.forEach(processes, (rungs) =>
      fromPublished(sandbox)(index, plan, input, job.directory, rungs, job.isHurried === true),
    )
    return {
      ...{ rungs: [...runs.flatMap(({ made }) => made), copied], way: "copied" as const },
      isDamaged: false,
      cpuSeconds: runs.reduce((sum, { outcome }) => sum + outcome.cpuSeconds, 0),
      peakMebibytes: Math.max(...runs.map(({ outcome }) => outcome.peakMebibytes)),
    }
  })

  return <E>(job: EncodeJob<E>): Effect.Effect<Encoded, MediaFailure | E> => {
    const top = job.rungs.find(({ copied }) => copied !== undefined)
    if (top === undefined) return encodeFromSource(job)
    return encodeCopied(job, top).pipe(
      Effect.catchIf(
        (failure) => failure instanceof CopyRefused,
        (failure) =>
          encodeFromSource({ ...job, rungs: job.rungs.map(encodedInstead) }).pipe(
            Effect.map((encoded) => ({
              ...encoded,
              refused: { rung: top.name, reason: reasonOf(failure) },
            })),
          ),
      ),
    )
  }
}
