/**
 * `encode`: one piece to the segments of its rungs, and the proof that they are the planned frames.
 * Where the count differs, other ways of cutting are tried in turn: by count (times of the source
 * that lie), from an earlier key frame (intra-refresh), the whole file, and at last what a damaged
 * source gives.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { countBelow } from "#domain/transcode/chunks.ts"
import { type Rung, TICKS } from "#domain/transcode/facts.ts"
import { type Attempt, attempts, cutOf } from "./attempts.ts"
import { initOf, segmentOf, VIDEO_DELAY } from "./cmaf.ts"
import { codedAs } from "./codec-records.ts"
import { tellsOfDamage } from "./damage.ts"
import { encodeArguments } from "./encode-arguments.ts"
import { failureOf } from "./failures.ts"
import { readFragments } from "./fragments.ts"
import { processesOf } from "./memory.ts"
import { type Placed, type Plan, placeExactly, placeRest, planOf } from "./place-samples.ts"
import { type Encoded, type EncodeJob, SourceRefused } from "./port.ts"
import type { Limits } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch, scratch } from "./scratch.ts"
import { type OpenedIndex, openIndex, timelineOf } from "./source-index.ts"
import { localFile, wholeFile } from "./sparse.ts"

/** 8 s of 1080p30 take a minute at most, with all rungs, on a slow core. */
const pixelsPerSecond = (1920 * 1080 * 240) / 60
const leastSeconds = 60
/** Noise in VP9 took 20 s for each of its own. */
const otherCodecs = 4
const megapixel = 1_000_000

export const limitsOf = (
  index: OpenedIndex,
  rungs: ReadonlyArray<Rung>,
  frames: number,
  seconds: number,
): Limits => {
  const { width, height } = index.video
  const times = rungs.some(({ codec }) => codec !== undefined) ? otherCodecs : 1
  const cpuSeconds = leastSeconds + Math.ceil((width * height * frames * times) / pixelsPerSecond)
  const largest = rungs.reduce((most, rung) => Math.max(most, rung.maxBitsPerSecond), 0)
  return {
    mebibytes: 2560 + Math.ceil(Math.max(0, (width * height) / megapixel - 2) * 200),
    cpuSeconds,
    wallSeconds: 4 * cpuSeconds,
    outputMebibytes: 16 + Math.ceil((largest * seconds * 4) / 8 / 2 ** 20),
    stdoutBytes: 64 * 1024,
  }
}

const twice = (limits: Limits): Limits => ({ ...limits, mebibytes: 2 * limits.mebibytes })

/** Init and segments of an encoded rung; `null`: the file is none. */
export const filesOf = (rung: Rung, file: Buffer, placed: Placed, plan: Plan) => {
  const coded = codedAs(rung, readFragments(file)?.entry ?? Buffer.alloc(0))
  if (coded === null) return null
  const size = { width: rung.width, height: rung.height }
  const { entry, codecs } = coded
  return {
    rung: rung.name,
    ...(rung.codec !== undefined && { codecs }),
    init: initOf({ entry, timescale: TICKS, delay: VIDEO_DELAY, size }),
    segments: plan.segments.map(({ k, from, to }, i) => {
      const bytes = segmentOf(k + 1, placed[i] ?? [], to, VIDEO_DELAY)
      return { k, start: from, duration: to - from, bytes: bytes.length, data: bytes }
    }),
  }
}

export const encodeWith = (sandbox: Sandbox) => {
  const attemptOnce = Effect.fn("encodeAttempt")(function* <E>(
    job: EncodeJob<E>,
    index: OpenedIndex,
    plan: Plan,
    attempt: Attempt,
  ) {
    const { from = 0, to = index.end } = job.piece
    const { cut, seek, stretch, decoded } = cutOf(index, from, to, attempt)
    const local =
      attempt.earlier === null
        ? yield* wholeFile(job.source, index)
        : yield* localFile(job.source, index, stretch, job.directory)
    const outputs = job.rungs.map((_, i) => join(job.directory, `rung-${i}.mp4`))
    const limits = limitsOf(index, job.rungs, decoded, (to - from) / TICKS)
    const { mark } = job
    const also = mark === undefined ? [] : [join(job.directory, "mark.png")]
    yield* Effect.forEach(also, (path) => scratch(() => writeFile(path, mark?.image ?? "")))
    const command = {
      tool: "ffmpeg" as const,
      arguments: encodeArguments({
        index,
        local,
        cut,
        seek: local.seeks ? seek : null,
        rungs: job.rungs,
        starts: plan.segments.map((segment) =>
          cut._tag === "ByCount" ? countBelow(plan.frames, segment.from) * cut.step : segment.from,
        ),
        isFirst: from === 0,
        isTolerant: attempt.isTolerant,
        isHurried: job.isHurried === true,
        mark,
      }),
      input: local.path,
      also,
      outputs,
      limits,
    }
    const first = yield* sandbox.run(command)
    const isStarved = first.ending === "memory"
    const outcome = isStarved ? yield* sandbox.run({ ...command, limits: twice(limits) }) : first
    const failure = failureOf(outcome, limits)
    if (failure !== null) return yield* failure
    const files = yield* Effect.forEach(job.rungs, (_, i) =>
      readScratch(job.directory, `rung-${i}.mp4`),
    )
    const rungs = job.rungs.map((rung, i) => {
      const file = files[i] ?? Buffer.alloc(0)
      const samples = readFragments(file)?.samples ?? []
      const placed = attempt.isTolerant
        ? placeRest(samples, plan)
        : placeExactly(samples, plan, attempt.isCounted)
      return placed === null ? null : filesOf(rung, file, placed, plan)
    })
    return { outcome, rungs: rungs.filter((rung) => rung !== null), isCut: local.isCut }
  })

  return Effect.fn("encode")(function* <E>(job: EncodeJob<E>) {
    const index = openIndex(job.index)
    const { from = 0, to = index.end } = job.piece
    const plan = planOf(timelineOf(index), from, to)
    let cpuSeconds = 0
    let peakMebibytes = 0
    for (const attempt of attempts) {
      const rungs: Array<Encoded["rungs"][number]> = []
      let isDamaged = attempt.isTolerant
      for (const some of processesOf(index, job.rungs)) {
        const made = yield* attemptOnce({ ...job, rungs: some }, index, plan, attempt)
        cpuSeconds += made.outcome.cpuSeconds
        peakMebibytes = Math.max(peakMebibytes, made.outcome.peakMebibytes)
        isDamaged ||= tellsOfDamage(made.outcome.stderr, made.isCut)
        rungs.push(...made.rungs)
        if (made.rungs.length < some.length) break
      }
      if (rungs.length === job.rungs.length) {
        const encoded: Encoded = { rungs, way: attempt.way, isDamaged, cpuSeconds, peakMebibytes }
        return encoded
      }
    }
    // The program ended by itself each time: another worker would see the same.
    return yield* new SourceRefused({ code: "no_decodable_frames" })
  })
}
