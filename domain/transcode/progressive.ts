/**
 * One MP4 file out of segments, for those who want to keep a video: a full sample table first, then
 * the segments' media as it lies there, pictures and sound in turn. Only the table is made; the media
 * is told as slices of objects, so that nothing is stored twice.
 */
import { bodyOf, box, joined, letters, matrix, u16, u32, u64 } from "./boxes.ts"
import { ROW_BYTES, rowAt, type SegmentHead, segmentHead, typeAt, viewOf } from "./segment-head.ts"

// Tracks

export interface TrackHeader {
  /** The sample entry, whole. */
  readonly entry: Uint8Array
  readonly timescale: number
  /** What the edit list takes off. */
  readonly delay: number
  /** `null`: sound. */
  readonly size: { readonly width: number; readonly height: number } | null
}

/** Of an init segment as the platform writes it. */
export const trackHeader = (init: Uint8Array): TrackHeader | null => {
  const track = ["moov", "trak"]
  const entries = bodyOf(init, [...track, "mdia", "minf", "stbl", "stsd"])
  const header = bodyOf(init, [...track, "mdia", "mdhd"])
  const edits = bodyOf(init, [...track, "edts", "elst"])
  if (entries === null || header === null || edits === null) return null
  const view = viewOf(init)
  const from = entries.from + 8
  const isSound = typeAt(view, from) === "mp4a"
  return {
    entry: init.slice(from, entries.to),
    timescale: view.getUint32(header.from + 12),
    delay: view.getUint32(edits.from + 12),
    size: isSound ? null : { width: view.getUint16(from + 32), height: view.getUint16(from + 34) },
  }
}

/** So many bytes of a segment hold its rows, nearly always. */
export const ROWS_BYTES = 16_384

/** `null`: the bytes hold all rows; else how many would. */
export const rowsMissing = (bytes: Uint8Array, { rowsAt, sampleCount }: SegmentHead) => {
  const needed = rowsAt + sampleCount * ROW_BYTES
  return needed <= bytes.length ? null : needed
}

interface Chunk {
  readonly source: string
  readonly from: number
  readonly bytes: number
  readonly samples: number
  /** Seconds. */
  readonly at: number
}

/** Runs of equal values, as `stts` and `ctts` write them: count, value, count, value… */
const addRun = (runs: Array<number>, value: number) => {
  const last = runs.length - 1
  if (last > 0 && runs[last] === value) runs[last - 1] = (runs[last - 1] ?? 0) + 1
  else runs.push(1, value)
}

const withRun = (runs: ReadonlyArray<number>, value: number) => {
  const all = [...runs]
  addRun(all, value)
  return all
}

/** Fed with the heads of a rendition's segments, in order. */
export const sampleTable = (header: TrackHeader) => {
  const sizes: Array<number> = []
  const durations: Array<number> = []
  const offsets: Array<number> = []
  const keys: Array<number> = []
  const chunks: Array<Chunk> = []
  let first: number | null = null
  let clock = 0
  let lastDuration = 0

  return {
    header,
    chunks: (): ReadonlyArray<Chunk> => chunks,
    sampleCount: () => sizes.length,
    /** `false`: that is no segment of ours. */
    add: (source: string, bytes: Uint8Array): boolean => {
      const head = segmentHead(bytes)
      if (head === null || rowsMissing(bytes, head) !== null) return false
      const view = viewOf(bytes)
      first ??= head.decodeTime
      let total = 0
      // Of the last sample before: it lasts until this segment begins, whatever it said.
      if (sizes.length > 0) addRun(durations, Math.max(1, head.decodeTime - clock))
      clock = head.decodeTime
      for (let i = 0; i < head.sampleCount; i++) {
        const { duration, size, isKey, offset } = rowAt(view, head, i)
        sizes.push(size)
        addRun(offsets, offset)
        if (isKey) keys.push(sizes.length)
        total += size
        lastDuration = duration
        if (i + 1 < head.sampleCount) {
          addRun(durations, duration)
          clock += duration
        }
      }
      const at = head.decodeTime / header.timescale
      chunks.push({ source, from: head.mediaAt, bytes: total, samples: head.sampleCount, at })
      return true
    },
    end: () => ({
      sizes,
      durations: sizes.length === 0 ? [] : withRun(durations, lastDuration),
      offsets,
      keys,
      first: first ?? 0,
      /** Ticks of the track, from its first sample's time to its last one's end. */
      length: clock + lastDuration - (first ?? 0),
      /** The same, without what the encoder of sound put before it. */
      shown: clock + lastDuration - (first ?? 0) - (header.size === null ? header.delay : 0),
    }),
  }
}

export type SampleTable = ReturnType<typeof sampleTable>

// The file

/** Bytes of an object that lie at a place of the file. */
export interface Slice {
  readonly source: string
  readonly from: number
  readonly at: number
  readonly bytes: number
}

export interface Progressive {
  readonly head: Uint8Array<ArrayBuffer>
  readonly slices: ReadonlyArray<Slice>
  readonly byteLength: number
}

/** Of the movie: a multiple of no track's, and fine enough for the length of a frame. */
const MOVIE_TICKS = 90_000

const trackBox = (
  table: SampleTable,
  id: number,
  places: ReadonlyArray<number>,
  isWide: boolean,
) => {
  const { entry, timescale, delay, size } = table.header
  const { sizes, durations, offsets, keys, first, length, shown } = table.end()
  const inMovie = (ticks: number) => Math.round((ticks * MOVIE_TICKS) / timescale)
  const perChunk: Array<number> = []
  for (const [i, { samples }] of table.chunks().entries()) {
    if (perChunk.at(-2) !== samples) perChunk.push(i + 1, samples, 1)
  }
  const tables = box(
    "stbl",
    box("stsd", u32([0, 1]), entry),
    box("stts", u32([0, durations.length / 2]), u32(durations)),
    ...(size === null ? [] : [box("ctts", u32([0, offsets.length / 2]), u32(offsets))]),
    ...(size === null ? [] : [box("stss", u32([0, keys.length]), u32(keys))]),
    box("stsc", u32([0, perChunk.length / 3]), u32(perChunk)),
    box("stsz", u32([0, 0, sizes.length]), u32(sizes)),
    isWide
      ? box("co64", u32([0, places.length]), u64(places))
      : box("stco", u32([0, places.length]), u32(places)),
  )
  // Edits: nothing until the first sample, then all of it.
  const wait = first === 0 ? [] : [u64([inMovie(first)]), u32([0xffffffff, 0xffffffff, 0x10000])]
  const edits = box(
    "elst",
    u32([0x01000000, first === 0 ? 1 : 2]),
    ...wait,
    u64([inMovie(shown), delay]),
    u32([0x10000]),
  )
  const duration = inMovie(first) + inMovie(shown)
  return box(
    "trak",
    box(
      "tkhd",
      u32([0x01000003, 0, 0, 0, 0, id, 0]),
      u64([duration]),
      u32([0, 0]),
      u16(0, 0, size === null ? 0x100 : 0, 0),
      matrix,
      u32([(size?.width ?? 0) * 65_536, (size?.height ?? 0) * 65_536]),
    ),
    box("edts", edits),
    box(
      "mdia",
      box("mdhd", u32([0x01000000, 0, 0, 0, 0, timescale]), u64([length]), u16(0x55c4, 0)),
      box(
        "hdlr",
        u32([0, 0]),
        letters(size === null ? "soun" : "vide"),
        u32([0, 0, 0]),
        letters("reelog\0"),
      ),
      box(
        "minf",
        size === null ? box("smhd", u32([0, 0])) : box("vmhd", u32([1, 0, 0])),
        box("dinf", box("dref", u32([0, 1]), box("url ", u32([1])))),
        tables,
      ),
    ),
  )
}

/** Tracks in the order of the file, the pictures first. */
export const progressive = (tables: ReadonlyArray<SampleTable>): Progressive => {
  const order = tables
    .flatMap((table, track) => table.chunks().map((chunk) => ({ ...chunk, track })))
    .sort((one, other) => one.at - other.at || one.track - other.track)
  const mediaBytes = order.reduce((sum, { bytes }) => sum + bytes, 0)
  const samples = tables.reduce((sum, table) => sum + table.sampleCount(), 0)
  // What the tables can take at most lies before the media.
  const isWide = mediaBytes + 64 * samples + 2 ** 20 >= 2 ** 32
  const type = box("ftyp", letters("isom\0\0\u0002\0isomiso2avc1mp41"))
  const media = isWide
    ? joined([u32([1]), letters("mdat"), u64([mediaBytes + 16])])
    : joined([u32([mediaBytes + 8]), letters("mdat")])

  const headFor = (begin: number) => {
    const places: ReadonlyArray<Array<number>> = tables.map(() => [])
    let at = begin
    for (const { track, bytes } of order) {
      places[track]?.push(at)
      at += bytes
    }
    const tracks = tables.map((table, i) => trackBox(table, i + 1, places[i] ?? [], isWide))
    const lengths = tables.map((table) => {
      const { first, shown } = table.end()
      return Math.round(((first + shown) * MOVIE_TICKS) / table.header.timescale)
    })
    const header = box(
      "mvhd",
      u32([0x01000000, 0, 0, 0, 0, MOVIE_TICKS]),
      u64([Math.max(0, ...lengths)]),
      u32([0x10000]),
      u16(0x100, 0),
      u32([0, 0]),
      matrix,
      u32([0, 0, 0, 0, 0, 0, tables.length + 1]),
    )
    return joined([type, box("moov", header, ...tracks), media])
  }

  // Places don't change how long the tables are.
  const head = headFor(headFor(0).length)
  let at = head.length
  const slices = order.map(({ source, from, bytes }) => {
    const slice = { source, from, bytes, at }
    at += bytes
    return slice
  })
  return { head, slices, byteLength: at }
}
