/**
 * `inspect`: sniffs, asks ffprobe, judges, and makes the index. Of MP4 only the head and the first
 * few samples are needed, so this ends long before the source has arrived; other containers are
 * read whole. Where packets do not tell the frames, all are decoded once.
 */
import { join } from "node:path"
import { Effect } from "effect"
import { ladder } from "#domain/transcode/ladder.ts"
import { unitsIn } from "./container-units.ts"
import { withCopiedTop } from "./copy/top-rung.ts"
import { tellsOfDamage } from "./damage.ts"
import { type Described, indexOf, mediaOf } from "./describe.ts"
import { type Mp4Head, readMp4Head } from "./mp4-head.ts"
import {
  frameColumns,
  frameEntries,
  framesOfPackets,
  type PacketColumns,
  packetColumns,
  packetEntries,
} from "./packet-index.ts"
import { type Inspected, type Source, SourceRefused } from "./port.ts"
import { probe, type Row, streamEntries } from "./probe.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { writeSparse } from "./scratch.ts"
import { type Demuxer, sniff, sniffBytes } from "./sniff.ts"
import { packIndex, type SourceIndex } from "./source-index.ts"
import { localFile } from "./sparse.ts"
import { judge, numberOf } from "./verdict.ts"

/** Their packets tell no presentation times, or not those of the frames. */
const timeless: ReadonlySet<Demuxer> = new Set<Demuxer>(["avi", "asf", "mpeg", "ogg"])
const packetsToTry = { sparse: 12, whole: 80 }
/** Processor seconds: for reading packets, a few frames, all frames. */
const patience = { packets: 60, aFewFrames: 20, allFrames: 3600 }

const sniffed = Effect.fn("sniffed")(function* <E>(source: Source<E>) {
  if (source.byteLength === 0) return yield* new SourceRefused({ code: "empty" })
  const to = Math.min(source.byteLength, sniffBytes)
  const demuxer = sniff(yield* source.read({ from: 0, to }))
  return demuxer ?? (yield* new SourceRefused({ code: "not_a_video" }))
})

/** Streams, and packets of each of them: which are taken is judged from the same rows. */
const readPackets = Effect.fn("readPackets")(function* (
  sandbox: Sandbox,
  demuxer: Demuxer,
  file: string,
  byteLength: number,
  options: ReadonlyArray<string>,
) {
  const columns = new Map<string, ReturnType<typeof packetColumns>>()
  let hasChapters = false
  const probed = yield* probe(sandbox, {
    file,
    demuxer,
    entries: `${packetEntries}:${streamEntries}`,
    options,
    cpuSeconds: patience.packets,
    onRow: (section, row) => {
      if (section === "chapter") hasChapters = true
      if (section !== "packet") return
      const stream = row.get("stream_index") ?? ""
      const known = columns.get(stream) ?? packetColumns(byteLength)
      columns.set(stream, known)
      known.add(row)
    },
  })
  const taken = yield* Effect.fromResult(judge(probed))
  const of = (stream: Row | null) =>
    columns.get(stream?.get("index") ?? "") ?? packetColumns(byteLength)
  return {
    ...{ taken, hasChapters, spent: probed },
    video: of(taken.video),
    audio: of(taken.audio),
    moreAudio: taken.moreAudio.map(of),
  }
})

const readFrames = Effect.fn("readFrames")(function* (
  sandbox: Sandbox,
  demuxer: Demuxer,
  file: string,
  options: ReadonlyArray<string>,
  cpuSeconds: number,
) {
  const columns = frameColumns()
  let hasCaptions = false
  const spent = yield* probe(sandbox, {
    file,
    demuxer,
    entries: `${frameEntries}:frame_side_data=side_data_type`,
    options,
    cpuSeconds,
    onRow: (section, row) => {
      hasCaptions ||= row.get("side_data_type")?.startsWith("ATSC A53") === true
      if (section === "frame") columns.add(row)
    },
  })
  return { columns, hasCaptions, spent }
})

/** `ftyp` and `moov` where they lie, holes elsewhere: all that ffprobe needs for the packets. */
const headFile = <E>(source: Source<E>, head: Mp4Head, directory: string) =>
  writeSparse(
    join(directory, "head.sparse"),
    source.byteLength,
    [...head.heads, { at: head.moovAt, bytes: head.moov }],
    source,
    [],
  )
const headOptions = ["-fflags", "+noparse+nofillin", "-probesize", "32", "-analyzeduration", "0"]

/** Of an MP4 by its head alone, unless it leaves something to its samples. */
const readIndex = Effect.fn("readIndex")(function* <E>(
  sandbox: Sandbox,
  demuxer: Demuxer,
  source: Source<E>,
  mp4: Mp4Head | null,
  directory: string,
) {
  const whole = Effect.gen(function* () {
    const read = yield* readPackets(sandbox, demuxer, yield* source.whole, source.byteLength, [])
    return { head: null, ...read }
  })
  if (mp4 === null || mp4.isFragmented) return yield* whole
  const file = yield* headFile(source, mp4, directory)
  // What touches the end of a truncated file is not whole either.
  const wholeBytes = source.byteLength - (mp4.isTruncated ? 1 : 0)
  return yield* readPackets(sandbox, demuxer, file, wholeBytes, headOptions).pipe(
    Effect.map((read) => ({ head: mp4, ...read })),
    // H.263 tells its size in its pictures.
    Effect.catchIf(
      (failure) => isRefused(failure, "no_picture_size"),
      () => whole,
    ),
  )
})

const isRefused = (failure: unknown, code: string) =>
  failure instanceof SourceRefused && failure.code === code

const transportPacket = 188

/** How a container is cut that is read in file order, its packets telling their places. */
const cutFor = (demuxer: Demuxer, columns: PacketColumns): SourceIndex["cut"] => {
  const { at } = columns.packets()
  if (at.some((place, i) => place < 0 || place < (at[i - 1] ?? 0))) return "whole"
  switch (demuxer) {
    case "mov":
      return "fragments"
    case "matroska":
    case "flv":
      return demuxer
    case "mpegts":
      return at.every((place) => place % transportPacket === 0) ? "mpegts" : "whole"
    default:
      return "whole"
  }
}

export const inspectWith = (sandbox: Sandbox, isCopyAllowed: boolean) =>
  Effect.fn("inspect")(function* <E>(source: Source<E>, directory: string) {
    const demuxer = yield* sniffed(source)
    const mp4 = demuxer === "mov" ? yield* readMp4Head(source) : null
    const { head, spent, ...told } = yield* readIndex(sandbox, demuxer, source, mp4, directory)
    const byPackets = timeless.has(demuxer) ? null : framesOfPackets(told.video)
    const headBytes = head === null ? Buffer.alloc(0) : Buffer.concat([head.ftyp, head.moov])
    const described: Described = {
      demuxer,
      byteLength: source.byteLength,
      cut: head === null ? "whole" : "mp4",
      units: [],
      ...told,
      shown: byPackets ?? { frames: [0], keys: [0], lastDuration: 0 },
      picture: { isHdr: false, isInterlaced: false },
      hasCaptions: false,
      isDamaged: mp4?.isTruncated === true || told.video.lost() + told.audio.lost() > 0,
    }

    // A few decoded frames tell what the container may not, and that there are any.
    const rough = { ...indexOf(described), head: headBytes }
    const stretch = { key: rough.video.keys[0] ?? 0, until: rough.video.frames[8] ?? Infinity }
    const beginning = yield* localFile(source, rough, stretch, directory)
    const stream = ["-select_streams", beginning.map.slice(2)]
    const few = [
      "-read_intervals",
      `%+#${head === null ? packetsToTry.whole : packetsToTry.sparse}`,
    ]
    const trial = yield* readFrames(
      sandbox,
      demuxer,
      beginning.path,
      [...stream, ...few],
      patience.aFewFrames,
    )
    const picture = trial.columns.picture()
    const isTold = byPackets !== null && trial.columns.count() > 0
    const isFieldCoded = picture.isInterlaced && demuxer !== "mov"
    const all =
      isTold && !isFieldCoded
        ? null
        : yield* readFrames(
            sandbox,
            demuxer,
            yield* source.whole,
            ["-select_streams", String(numberOf(told.taken.video, "index"))],
            patience.allFrames,
          )
    // A head without its samples, or a few of them, make noise.
    const isBroken = (head === null ? [spent, trial.spent, all?.spent] : [all?.spent]).some(
      (run) => run !== undefined && tellsOfDamage(run.stderr, false),
    )
    const decoded = (all ?? trial).columns.count()
    // A picture that came by chance is no video.
    if (decoded === 0 || (decoded === 1 && isBroken && told.video.packets().pts.length > 1))
      return yield* new SourceRefused({ code: "no_decodable_frames" })

    const cut = all === null && head === null ? cutFor(demuxer, told.video) : described.cut
    const units = head === null ? yield* unitsIn(yield* source.whole, cut, source.byteLength) : []
    const final: Described = {
      ...described,
      cut,
      units,
      picture: all?.columns.picture() ?? picture,
      shown: all?.columns.shown() ?? described.shown,
      isDamaged: described.isDamaged || isBroken,
      hasCaptions: trial.hasCaptions || all?.hasCaptions === true,
    }
    const fixed = indexOf(final)
    const rungs = ladder(mediaOf(final, fixed).video)
    const top = withCopiedTop({ ...fixed, head: headBytes }, rungs, isCopyAllowed)
    const runs = [spent, trial.spent, ...(all === null ? [] : [all.spent])]
    const inspected: Inspected = {
      media: mediaOf(final, top.index),
      rungs: top.rungs,
      ...(top.copyRefused !== undefined && { copyRefused: top.copyRefused }),
      index: packIndex(top.index, headBytes),
      cpuSeconds: runs.reduce((sum, run) => sum + run.cpuSeconds, 0),
      peakMebibytes: Math.max(...runs.map((run) => run.peakMebibytes)),
    }
    return inspected
  })
