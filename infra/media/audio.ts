/**
 * `encodeAudio`: the sound in one pass, AAC, on the grid of the video and on its timeline: silence
 * where it begins later, holes filled. Segments are told while the encoder runs.
 */
import { Clock, Effect, Fiber, Option } from "effect"
import { type Audio, DEFAULT_SOUND, type SoundRendition, TICKS } from "#domain/transcode/facts.ts"
import { soundGrid } from "#domain/transcode/grid.ts"
import { soundSegments } from "./audio-segments.ts"
import { failureOf } from "./failures.ts"
import type { AudioJob, SegmentFile, Spent } from "./port.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Running, Sandbox } from "./sandbox/sandbox.ts"
import { inputArguments } from "./sniff.ts"
import { feedSound, packedSound } from "./sound-source.ts"
import { type OpenedIndex, openIndex } from "./source-index.ts"

const none: Audio = { renditions: [] }
const bitsPerSecond = 128_000
/** AAC-LC */
const codecs = "mp4a.40.2"
const cpuSecondsPerSecond = 0.5
/** Waits for the bytes of an upload: the task's lease ends it. */
const wallSeconds = 7 * 24 * 3600
const batchMillis = 500

const soundArguments = (index: OpenedIndex, isPacked: boolean): ReadonlyArray<string> => {
  const zero = (index.zero / TICKS).toFixed(9)
  const filters = [
    // Its default of 0.1 s moved all later sound early after a hole of 67 ms.
    "aresample=48000:async=1:min_hard_comp=0.01",
    `asetpts=PTS-(${zero})/TB`,
    "atrim=start=0",
    "aresample=async=1:first_pts=0",
  ]
  return [
    ...["-v", "error", "-nostdin", "-copyts", "-threads", "1", "-filter_threads", "1"],
    ...inputArguments(index.demuxer, isPacked ? "pipe:0" : "/in"),
    ...["-map", isPacked ? "0:a:0" : `0:${index.audio?.stream ?? 0}`, "-vn", "-sn", "-dn"],
    ...["-af", filters.join(","), "-ac", "2", "-c:a", "aac", "-b:a", String(bitsPerSecond)],
    ...["-map_metadata", "-1", "-map_chapters", "-1", "-threads", "1", "-flush_packets", "1"],
    ...["-movflags", "+empty_moov+default_base_moof+frag_discont+delay_moov+frag_every_frame"],
    ...["-f", "mp4", "pipe:1"],
  ]
}

export const encodeAudioWith = (sandbox: Sandbox) => {
  /** Reads the encoder's output to its end, telling segments as they are done. */
  const drain = Effect.fn("drainSound")(function* <E>(
    job: AudioJob<E>,
    running: Running,
    segments: ReturnType<typeof soundSegments>,
  ) {
    let done: Array<SegmentFile> = []
    let told = 0
    const tell = Effect.fnUntraced(function* () {
      const init = segments.init()
      if (init === null || done.length === 0) return
      yield* job.emit({ init, segments: done })
      told = yield* Clock.currentTimeMillis
      done = []
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
      done.push(...segments.take(part.value))
      if ((yield* Clock.currentTimeMillis) - told >= batchMillis) yield* tell()
      taking = yield* Effect.forkChild(running.take)
    }
    done.push(...segments.end())
    yield* tell()
  })

  return Effect.fn("encodeAudio")(function* <E>(job: AudioJob<E>) {
    const index = openIndex(job.index)
    const silent: { readonly audio: Audio } & Spent = {
      audio: none,
      cpuSeconds: 0,
      peakMebibytes: 0,
    }
    if (index.audio === null) return silent
    const isPacked = index.cut === "mp4"
    const seconds = Math.max(index.end, index.audio.endTicks) / TICKS
    const command: Confined = {
      tool: "ffmpeg",
      arguments: soundArguments(index, isPacked),
      input: isPacked ? null : yield* job.source.whole,
      outputs: [],
      limits: {
        mebibytes: 2048,
        cpuSeconds: 60 + Math.ceil(seconds * cpuSecondsPerSecond),
        wallSeconds,
        outputMebibytes: 1,
        stdoutBytes: Math.ceil(seconds * bitsPerSecond) + 16 * 2 ** 20,
      },
    }
    const running = yield* sandbox.start(command)
    const segments = soundSegments(soundGrid(index.grid, index.end, index.audio.endTicks))
    const feed = isPacked ? feedSound(job.source, packedSound(index), running) : Effect.void
    yield* Effect.all([feed, drain(job, running, segments)], { concurrency: 2 })
    const outcome = yield* running.outcome
    const { cpuSeconds, peakMebibytes } = outcome
    const failure = failureOf(outcome, command.limits)
    if (failure !== null) return yield* failure
    const written = segments.written()
    // A track that no decoder opens: the video is shown without.
    if (written.length === 0) return { ...silent, cpuSeconds, peakMebibytes }
    const rates = written.map(({ bytes, duration }) => (bytes * 8 * TICKS) / Math.max(1, duration))
    const heard: SoundRendition = {
      name: DEFAULT_SOUND,
      group: "stereo",
      language: null,
      title: null,
      isDefault: true,
      codecs,
      channels: 2,
      initBytes: segments.init()?.length ?? 0,
      segmentCount: written.length,
      bitsPerSecond: Math.ceil(Math.max(...rates)),
      loudness: null,
    }
    const audio: Audio = {
      renditions: [heard],
      // It broke off: what was written is what there is.
      ...(outcome.ending === "failed" && { damaged: true }),
    }
    return { audio, cpuSeconds, peakMebibytes }
  }, Effect.scoped)
}
