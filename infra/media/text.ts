/**
 * `extractText`: the texts that a source carries, as WebVTT on the video's own timeline, and its
 * chapters. Tracks that are pictures of text are left out, and said so. A source without any is not
 * even read.
 */
import { join } from "node:path"
import { Effect } from "effect"
import { type Chapter, type Text, type TextTrack, TICKS } from "#domain/transcode/facts.ts"
import { failureOf } from "./failures.ts"
import { safeTitle } from "./labels.ts"
import type { PictureJob, TextFiles } from "./port.ts"
import { plainText, probe, type Row } from "./probe.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch } from "./scratch.ts"
import { inputArguments } from "./sniff.ts"
import { type OpenedIndex, openIndex, type TextStream } from "./source-index.ts"
import { numberOf } from "./verdict.ts"
import { cuesIn, onTimeline, webVtt } from "./webvtt.ts"

/** What ffmpeg turns into text; the others are pictures of it, or teletext. */
const readable = new Set(["mov_text", "text", "subrip", "srt", "ass", "ssa", "webvtt", "eia_608"])
const mostTracks = 16
const mostChapters = 100

const limits: Confined["limits"] = {
  mebibytes: 1024,
  cpuSeconds: 300,
  wallSeconds: 1200,
  outputMebibytes: 8,
  stdoutBytes: 64 * 1024,
}

const textArguments = (index: OpenedIndex, streams: ReadonlyArray<TextStream>) => [
  ...["-v", "error", "-nostdin", "-y", "-copyts", "-threads", "1"],
  ...inputArguments(index.demuxer),
  ...streams.flatMap(({ stream }, i) => [
    ...["-map", `0:${stream}`, "-map_metadata", "-1", "-map_chapters", "-1"],
    ...["-c:s", "webvtt", "-f", "webvtt", `/out/${i}`],
  ]),
]

/**
 * Captions lie in the coded pictures: `movie` decodes them all. Which demuxer and which stream is
 * said here as well, so nothing is probed; inside, the one file there is to open is the source.
 */
const captionArguments = ({ demuxer, video }: OpenedIndex) => [
  ...["-v", "error", "-nostdin", "-y", "-copyts", "-threads", "1", "-filter_threads", "1"],
  ...["-protocol_whitelist", "file", "-format_whitelist", "lavfi", "-f", "lavfi"],
  ...[
    "-i",
    `movie=/in:f=${demuxer}:si=${video.stream}:dec_threads=1:format_opts=protocol_whitelist=file[out+subcc]`,
  ],
  ...["-map", "0:s", "-c:s", "webvtt", "-f", "webvtt", "/out/0"],
]

const captionLimits = ({ video, end }: OpenedIndex): Confined["limits"] => {
  const decode = (video.width * video.height * video.frames.length) / 20_000_000
  const cpuSeconds = 60 + Math.ceil(decode)
  const mebibytes = 1024 + Math.ceil((video.width * video.height) / 10_000)
  return { ...limits, mebibytes, cpuSeconds, wallSeconds: 4 * cpuSeconds + end / TICKS }
}

const nothing: Text = { tracks: [], chapters: [] }
const millisPerTick = 1000 / TICKS

const chapterOf = (row: Row, { zero, end }: OpenedIndex): Chapter => {
  const ticks = (key: string) => Math.round(numberOf(row, key) * TICKS - zero)
  return {
    start: Math.max(0, ticks("start_time")),
    end: Math.min(end, ticks("end_time")),
    title: safeTitle(plainText(row.get("tag:title") ?? row.get("tag:TITLE") ?? "")),
  }
}

export const extractTextWith = (sandbox: Sandbox) => {
  const chaptersOf = Effect.fn("chaptersOf")(function* (index: OpenedIndex, file: string) {
    const rows: Array<Row> = []
    const { cpuSeconds, peakMebibytes } = yield* probe(sandbox, {
      file,
      demuxer: index.demuxer,
      entries: "chapter=start_time,end_time:chapter_tags=title",
      options: [],
      onRow: (section, row) => {
        if (section === "chapter" && rows.length < mostChapters) rows.push(row)
      },
    })
    const chapters = rows
      .map((row) => chapterOf(row, index))
      .filter(({ start, end }) => start < end)
      .sort((a, b) => a.start - b.start)
    return { chapters, cpuSeconds, peakMebibytes }
  })

  /** What a broken or strange source does not give is no text. */
  const textIn = (index: OpenedIndex, directory: string, name: string) =>
    Effect.map(readScratch(directory, name), (bytes) => {
      const [zero, end] = [index.zero * millisPerTick, index.end * millisPerTick]
      const cues = onTimeline(cuesIn(bytes.toString("utf8")), zero, end)
      return cues.length === 0 ? null : Buffer.from(webVtt(cues))
    })

  const captionsOf = Effect.fn("captionsOf")(function* (
    index: OpenedIndex,
    file: string,
    directory: string,
  ) {
    const command: Confined = {
      tool: "ffmpeg",
      arguments: captionArguments(index),
      input: file,
      outputs: [join(directory, "captions.vtt")],
      limits: captionLimits(index),
    }
    const outcome = yield* sandbox.run(command)
    const failure = failureOf(outcome, command.limits)
    if (failure !== null) return yield* failure
    return { data: yield* textIn(index, directory, "captions.vtt"), outcome }
  })

  const filesOf = Effect.fn("filesOfText")(function* (
    index: OpenedIndex,
    file: string,
    streams: ReadonlyArray<TextStream>,
    directory: string,
  ) {
    const command: Confined = {
      tool: "ffmpeg",
      arguments: textArguments(index, streams),
      input: file,
      outputs: streams.map((_, i) => join(directory, `${i}.vtt`)),
      limits,
    }
    const outcome = yield* sandbox.run(command)
    const failure = failureOf(outcome, limits)
    if (failure !== null) return yield* failure
    const texts = yield* Effect.forEach(streams, (_, i) => textIn(index, directory, `${i}.vtt`))
    return { texts, outcome }
  })

  return Effect.fn("extractText")(function* <E>({
    source,
    index: bytes,
    directory,
  }: PictureJob<E>) {
    const index = openIndex(bytes)
    const streams = index.texts.filter(({ codec }) => readable.has(codec)).slice(0, mostTracks)
    const leftOut = index.texts.map(({ codec }) => codec).filter((codec) => !readable.has(codec))
    let [cpuSeconds, peakMebibytes] = [0, 0]
    const spend = (spent: { readonly cpuSeconds: number; readonly peakMebibytes: number }) => {
      cpuSeconds += spent.cpuSeconds
      peakMebibytes = Math.max(peakMebibytes, spent.peakMebibytes)
    }
    let text: Text = { ...nothing, ...(leftOut.length > 0 && { leftOut }) }
    const files: Array<{ readonly name: string; readonly data: Uint8Array }> = []
    if (index.hasChapters) {
      const { chapters, ...spent } = yield* chaptersOf(index, yield* source.whole)
      spend(spent)
      text = { ...text, chapters }
    }
    if (streams.length > 0) {
      const { texts, outcome } = yield* filesOf(index, yield* source.whole, streams, directory)
      spend(outcome)
      const tracks: Array<TextTrack> = []
      for (const [i, { language, title, isDefault, isForced, isCaption }] of streams.entries()) {
        const data = texts[i] ?? null
        if (data === null) continue
        const name = `text-${tracks.length}`
        files.push({ name, data })
        tracks.push({
          ...{ name, kind: isCaption ? "captions" : "subtitles", language, title },
          // One at most is shown unasked; containers say it of all.
          isDefault: isDefault && !tracks.some((track) => track.isDefault),
          ...{ isForced, bytes: data.length },
        })
      }
      text = { ...text, tracks }
    }
    if (index.hasCaptions) {
      const { data, outcome } = yield* captionsOf(index, yield* source.whole, directory)
      spend(outcome)
      const name = `text-${text.tracks.length}`
      if (data !== null) {
        files.push({ name, data })
        const track: TextTrack = {
          ...{ name, kind: "captions", language: null, title: null },
          ...{ isDefault: false, isForced: false, bytes: data.length },
        }
        text = { ...text, tracks: [...text.tracks, track] }
      }
    }
    return { text, files, cpuSeconds, peakMebibytes } satisfies TextFiles
  })
}
