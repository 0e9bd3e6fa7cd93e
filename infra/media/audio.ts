/**
 * `encodeAudio`: the sound in one pass, AAC, on the grid of the video and on its timeline: silence
 * where it begins later or ends sooner, holes filled. Segments are told while the encoder runs, the
 * default rendition's from its standard output, the others' from files it writes beside.
 */
import { open } from "node:fs/promises"
import { join } from "node:path"
import { Clock, Effect, Fiber, Option } from "effect"
import { type Audio, type SoundRendition, TICKS } from "#domain/transcode/facts.ts"
import { soundGrid } from "#domain/transcode/grid.ts"
import { soundInit, soundSegments } from "./audio-segments.ts"
import { failureOf } from "./failures.ts"
import { complaintsIn, loudnessOf } from "./loudness.ts"
import type { AudioJob, SegmentFile, Spent } from "./port.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Running, Sandbox } from "./sandbox/sandbox.ts"
import { scratch } from "./scratch.ts"
import { soundArguments } from "./sound-arguments.ts"
import { type PlannedSound, plannedSound } from "./sound-plan.ts"
import { feedSound, packedSound } from "./sound-source.ts"
import { type OpenedIndex, openIndex } from "./source-index.ts"

/** AAC-LC */
const codecs = "mp4a.40.2"
const cpuSecondsPerSecond = 0.5
/** Waits for the bytes of an upload: the task's lease ends it. */
const wallSeconds = 7 * 24 * 3600
const batchMillis = 500
const readBytes = 2 ** 20

/** A rendition while it is made. */
const making = (planned: PlannedSound, place: number, grid: ReadonlyArray<number>) => {
  const init = soundInit(planned.channels, planned.bitsPerSecond)
  const segments = soundSegments(grid)
  let done: Array<SegmentFile> = []
  const keep = (more: ReadonlyArray<SegmentFile>) => {
    done.push(...more)
  }
  return {
    planned,
    take: (bytes: Uint8Array) => keep(segments.take(bytes)),
    end: () => keep(segments.end()),
    /** What has not been told yet. */
    batch: () => {
      const told = { rendition: planned.name, place, init, segments: done }
      done = []
      return told
    },
    made: (stderr: string): SoundRendition | null => {
      const written = segments.written()
      if (written.length === 0) return null
      const { name, group, language, title, isDefault, channels } = planned
      const rates = written.map(
        ({ bytes, duration }) => (bytes * 8 * TICKS) / Math.max(1, duration),
      )
      return {
        ...{ name, group, language, title, isDefault, codecs, channels },
        initBytes: init.length,
        segmentCount: written.length,
        bitsPerSecond: Math.ceil(Math.max(...rates)),
        loudness: loudnessOf(stderr, name),
      }
    },
  }
}
type Making = ReturnType<typeof making>

/** Reads what a program has appended to a file since the last time. */
const following = Effect.fnUntraced(function* (path: string) {
  const file = yield* Effect.acquireRelease(
    scratch(() => open(path, "r")),
    (opened) => Effect.promise(() => opened.close()),
  )
  let at = 0
  return Effect.fnUntraced(function* (take: (bytes: Uint8Array) => void) {
    for (;;) {
      const { bytesRead, buffer } = yield* scratch(() =>
        file.read(Buffer.alloc(readBytes), 0, readBytes, at),
      )
      if (bytesRead === 0) return
      at += bytesRead
      take(buffer.subarray(0, bytesRead))
    }
  })
})

const limitsFor = (plan: ReadonlyArray<PlannedSound>, seconds: number): Confined["limits"] => ({
  mebibytes: 2048,
  cpuSeconds: 60 + Math.ceil(seconds * cpuSecondsPerSecond * plan.length),
  wallSeconds,
  outputMebibytes:
    16 + Math.ceil((seconds * Math.max(...plan.map((it) => it.bitsPerSecond))) / 4 / 2 ** 20),
  stdoutBytes: Math.ceil((seconds * (plan[0]?.bitsPerSecond ?? 0)) / 4) + 16 * 2 ** 20,
})

export const encodeAudioWith = (sandbox: Sandbox) => {
  /** Reads the encoder's output to its end, telling segments as they are done. */
  const drain = Effect.fn("drainSound")(function* <E>(
    job: AudioJob<E>,
    running: Running,
    makings: ReadonlyArray<Making>,
    files: ReadonlyArray<string>,
  ) {
    const [first, ...others] = makings
    const followers = yield* Effect.forEach(files, following)
    let told = 0
    const tell = Effect.fnUntraced(function* () {
      for (const [i, other] of others.entries()) yield* followers[i]?.(other.take) ?? Effect.void
      for (const each of makings) {
        const batch = each.batch()
        if (batch.segments.length > 0) yield* job.emit(batch)
      }
      told = yield* Clock.currentTimeMillis
    })
    let taking = yield* Effect.forkChild(running.take)
    while (true) {
      const part = yield* Effect.timeoutOption(Fiber.join(taking), batchMillis)
      // The encoder waits for bytes: what is done is not held back until they come.
      if (Option.isNone(part)) {
        yield* tell()
        continue
      }
      if (part.value === null) break
      first?.take(part.value)
      if ((yield* Clock.currentTimeMillis) - told >= batchMillis) yield* tell()
      taking = yield* Effect.forkChild(running.take)
    }
    const outcome = yield* running.outcome
    yield* tell()
    for (const each of makings) each.end()
    yield* tell()
    return outcome
  }, Effect.scoped)

  const encode = Effect.fn("encodeSound")(function* <E>(
    job: AudioJob<E>,
    index: OpenedIndex,
    plan: ReadonlyArray<PlannedSound>,
  ) {
    const isPacked = index.cut === "mp4"
    const longest = Math.max(...plan.map(({ track }) => track.endTicks))
    const grid = soundGrid(index.grid, index.end, longest)
    const files = plan.slice(1).map(({ name }) => join(job.directory, `${name}.aac`))
    const command: Confined = {
      tool: "ffmpeg",
      arguments: soundArguments(index, plan, isPacked),
      input: isPacked ? null : yield* job.source.whole,
      outputs: files,
      limits: limitsFor(plan, longest / TICKS),
    }
    const running = yield* sandbox.start(command)
    const makings = plan.map((planned, place) => making(planned, place, grid))
    const streams = plan.map(({ track }) => track.stream)
    const feed = isPacked
      ? feedSound(job.source, packedSound(index, streams), running)
      : Effect.void
    const [, ended] = yield* Effect.all([feed, drain(job, running, makings, files)], {
      concurrency: 2,
    })
    const outcome = { ...ended, stderr: complaintsIn(ended.stderr) }
    const failure = failureOf(outcome, command.limits)
    if (failure !== null) return yield* failure
    const renditions = makings.map(({ made }) => made(ended.stderr)).filter((made) => made !== null)
    return { renditions, outcome }
  }, Effect.scoped)

  return Effect.fn("encodeAudio")(function* <E>(job: AudioJob<E>) {
    const index = openIndex(job.index)
    const plan = plannedSound(index)
    let cpuSeconds = 0
    let peakMebibytes = 0
    // One track that no decoder opens ends the program: the default one is then heard alone.
    for (const wanted of plan.length > 1 ? [plan, plan.slice(0, 1)] : [plan]) {
      if (wanted.length === 0) break
      const { renditions, outcome } = yield* encode(job, index, wanted)
      cpuSeconds += outcome.cpuSeconds
      peakMebibytes = Math.max(peakMebibytes, outcome.peakMebibytes)
      if (renditions.length === 0) continue
      // It broke off: what was written is what there is.
      const isDamaged = outcome.ending === "failed"
      const audio: Audio = { renditions, ...(isDamaged && { damaged: true }) }
      return { audio, cpuSeconds, peakMebibytes } satisfies { audio: Audio } & Spent
    }
    // No track, or none that a decoder opens: the video is shown without.
    const silent: { readonly audio: Audio } & Spent = {
      audio: { renditions: [] },
      cpuSeconds,
      peakMebibytes,
    }
    return silent
  })
}
