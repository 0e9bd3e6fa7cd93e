/** Reads the fragmented MP4 of one track that our own ffmpeg wrote: its sample entry and samples, edit list applied. */
import type { Sample } from "./cmaf.ts"
import { type Box, boxesIn, findBox } from "./mp4-boxes.ts"

export interface FragmentedTrack {
  /** The first sample entry of `stsd`, whole. */
  readonly entry: Buffer
  readonly timescale: number
  /** What the edit list takes off. */
  readonly mediaTime: number
}

const NOT_SYNC = 0x10000

export const trackOf = (file: Buffer): FragmentedTrack | null => {
  const entries = findBox(file, "moov/trak/mdia/minf/stbl/stsd")
  const header = findBox(file, "moov/trak/mdia/mdhd")
  if (entries === undefined || header === undefined) return null
  const edits = findBox(file, "moov/trak/edts/elst")
  const count = edits === undefined ? 0 : file.readUInt32BE(edits.body + 4)
  const times = Array.from({ length: count }, (_, i) => {
    const body = edits?.body ?? 0
    return file[body] === 1
      ? Number(file.readBigInt64BE(body + 16 + 20 * i))
      : file.readInt32BE(body + 12 + 12 * i)
  })
  return {
    entry: file.subarray(entries.body + 8, entries.end),
    timescale: file.readUInt32BE(header.body + (file[header.body] === 1 ? 20 : 12)),
    mediaTime: times.findLast((time) => time >= 0) ?? 0,
  }
}

/** Four numbers of which a bit field says which are there. */
const optionalFields = (file: Buffer, from: number, flags: number, bits: ReadonlyArray<number>) => {
  let at = from
  const values = bits.map((bit) => {
    if ((flags & bit) === 0) return null
    at += 4
    return file.readUInt32BE(at - 4)
  })
  return { values, end: at }
}

/** The samples of one `moof`; offsets count from its first byte. `null`: the bytes are no such box. */
export const samplesOf = (file: Buffer, moof: Box, mediaTime: number): ReadonlyArray<Sample> => {
  const inside = (path: string) => findBox(file, `traf/${path}`, moof.body, moof.end)?.body
  const [tfhd, tfdt, trun] = [inside("tfhd"), inside("tfdt"), inside("trun")]
  if (tfhd === undefined || tfdt === undefined || trun === undefined) return []
  const headFlags = file.readUIntBE(tfhd + 1, 3)
  const afterTrack = tfhd + 8 + (headFlags & 1 ? 8 : 0) + (headFlags & 2 ? 4 : 0)
  const defaults = optionalFields(file, afterTrack, headFlags, [8, 16, 32]).values
  const runFlags = file.readUIntBE(trun + 1, 3)
  const run = optionalFields(file, trun + 8, runFlags, [1, 4])
  const [dataOffset, firstFlags] = run.values

  const samples: Array<Sample> = []
  let dts = file[tfdt] === 1 ? Number(file.readBigInt64BE(tfdt + 4)) : file.readUInt32BE(tfdt + 4)
  let from = moof.at + (dataOffset ?? 0)
  let at = run.end
  for (let i = 0, count = file.readUInt32BE(trun + 4); i < count; i++) {
    const own = optionalFields(file, at, runFlags, [256, 512, 1024])
    const [duration, size, flags] = own.values.map((value, k) => value ?? defaults[k] ?? 0)
    const offset = (runFlags & 2048) === 0 ? 0 : file.readInt32BE(own.end)
    at = own.end + ((runFlags & 2048) === 0 ? 0 : 4)
    const its = i === 0 ? (firstFlags ?? flags ?? 0) : (flags ?? 0)
    samples.push({
      pts: dts + offset - mediaTime,
      isKey: (its & NOT_SYNC) === 0,
      data: file.subarray(from, from + (size ?? 0)),
    })
    from += size ?? 0
    dts += duration ?? 0
  }
  return samples
}

export const readFragments = (file: Buffer) => {
  const track = trackOf(file)
  if (track === null) return null
  const samples = [...boxesIn(file)]
    .filter(({ type }) => type === "moof")
    .flatMap((moof) => samplesOf(file, moof, track.mediaTime))
  return { ...track, samples }
}

/** The decoder configuration of a sample entry: its box of this type. */
export const configurationIn = (entry: Buffer, type: string): Buffer | null => {
  const visualEntryBytes = 86
  const found = findBox(entry, type, visualEntryBytes)
  return found === undefined ? null : entry.subarray(found.body, found.end)
}
