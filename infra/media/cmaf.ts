/**
 * A small CMAF writer: one init segment per rendition, segments of samples that carry presentation
 * times. The composition delay is constant, for ffmpeg's own edit list holds the delay of a piece's
 * first frames: shared by all pieces it would shift them against each other.
 */

/** In decode order. */
export interface Sample {
  readonly pts: number
  readonly isKey: boolean
  readonly data: Buffer
}

/** Composition delay of every video rendition: 200 ms. */
export const VIDEO_DELAY = 18_000

export const box = (type: string, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(parts.reduce((length, part) => length + part.length, 8))
  head.write(type, 4, "latin1")
  return Buffer.concat([head, ...parts])
}
const u32 = (...values: ReadonlyArray<number>) => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i)
  return bytes
}
const u16 = (...values: ReadonlyArray<number>) => {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value & 0xffff, 2 * i)
  return bytes
}
const text = (value: string) => Buffer.from(value, "latin1")
const zeros = (length: number) => Buffer.alloc(length)
const matrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
const dpi = 0x480000

/** Sample entry of a video rendition: its decoder configuration here only, square pixels. */
export const videoEntry = (type: string, width: number, height: number, configuration: Buffer) =>
  box(
    type,
    u32(0),
    u16(0, 1),
    zeros(16),
    u16(width, height),
    u32(dpi, dpi, 0),
    u16(1),
    zeros(32),
    u16(24, 0xffff),
    configuration,
    box("pasp", u32(1, 1)),
  )

export const avc1 = (width: number, height: number, avcC: Uint8Array): Buffer =>
  videoEntry("avc1", width, height, box("avcC", avcC))

export interface Track {
  readonly entry: Uint8Array
  readonly timescale: number
  /** What the edit list takes off all presentation times. */
  readonly delay: number
  /** `null`: sound. */
  readonly size: { readonly width: number; readonly height: number } | null
}

export const initOf = ({ entry, timescale, delay, size }: Track): Buffer => {
  const isVideo = size !== null
  const tables = box(
    "stbl",
    box("stsd", u32(0, 1), entry),
    box("stts", u32(0, 0)),
    box("stsc", u32(0, 0)),
    box("stsz", u32(0, 0, 0)),
    box("stco", u32(0, 0)),
  )
  const media = box(
    "mdia",
    box("mdhd", u32(0, 0, 0, timescale, 0), u16(0x55c4, 0)),
    box("hdlr", u32(0, 0), text(isVideo ? "vide" : "soun"), u32(0, 0, 0), text("reelog\0")),
    box(
      "minf",
      isVideo ? box("vmhd", u32(1, 0, 0)) : box("smhd", u32(0, 0)),
      box("dinf", box("dref", u32(0, 1), box("url ", u32(1)))),
      tables,
    ),
  )
  const track = box(
    "trak",
    box(
      "tkhd",
      u32(7, 0, 0, 1, 0, 0, 0, 0),
      u16(0, 0, isVideo ? 0 : 0x100, 0),
      matrix,
      u32((size?.width ?? 0) * 65_536, (size?.height ?? 0) * 65_536),
    ),
    box("edts", box("elst", u32(0, 1, 0, delay, 0x10000))),
    media,
  )
  const movie = box(
    "mvhd",
    u32(0, 0, 0, 1000, 0, 0x10000),
    u16(0x100, 0),
    u32(0, 0),
    matrix,
    zeros(24),
    u32(2),
  )
  return Buffer.concat([
    box("ftyp", text("iso6\0\0\0\0iso6cmfcmp41")),
    box("moov", movie, track, box("mvex", box("trex", u32(0, 1, 1, 0, 0, 0)))),
  ])
}

/**
 * Decode times: the presentation times in order, pulled down where the delay would not carry the
 * reordering (a gap of a variable frame rate), strictly increasing.
 */
export const decodeTimes = (
  samples: ReadonlyArray<Pick<Sample, "pts">>,
  delay: number,
): ReadonlyArray<number> => {
  const times = samples.map(({ pts }) => pts).sort((a, b) => a - b)
  const first = times[0] ?? 0
  let low = Number.POSITIVE_INFINITY
  for (let i = times.length - 1; i >= 0; i--) {
    low = Math.min(low - 1, (samples[i]?.pts ?? 0) + delay, times[i] ?? 0)
    times[i] = low
  }
  return low < first ? times.map((time, i) => Math.max(time, first + i)) : times
}

const KEY_FLAGS = 0x02000000
const OTHER_FLAGS = 0x01010000
const brand = box("styp", text("msdh\0\0\0\0msdhmsixcmfs"))

/** `styp moof mdat`; `end`: the first time of the next segment. */
export const segmentOf = (
  sequence: number,
  samples: ReadonlyArray<Sample>,
  end: number,
  delay: number,
): Buffer => {
  const times = decodeTimes(samples, delay)
  const rows = samples.flatMap(({ pts, isKey, data }, i) => {
    const at = times[i] ?? 0
    const duration = Math.max(1, (times[i + 1] ?? end) - at)
    return [duration, data.length, isKey ? KEY_FLAGS : OTHER_FLAGS, Math.max(0, pts + delay - at)]
  })
  const start = Buffer.alloc(12)
  start[0] = 1
  start.writeBigUInt64BE(BigInt(times[0] ?? 0), 4)
  const fragment = (offset: number) =>
    box(
      "moof",
      box("mfhd", u32(0, sequence)),
      box(
        "traf",
        box("tfhd", u32(0x020000, 1)),
        box("tfdt", start),
        box("trun", u32(0xf01, samples.length, offset, ...rows)),
      ),
    )
  return Buffer.concat([
    brand,
    fragment(fragment(0).length + 8),
    box("mdat", ...samples.map(({ data }) => data)),
  ])
}
