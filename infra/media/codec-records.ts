/** Sample entries of our own around the decoder configurations that encoders give, and their names by RFC 6381. */
import { levelIn } from "#domain/transcode/codecs.ts"
import type { Codec, Rung } from "#domain/transcode/facts.ts"
import { box, videoEntry } from "./cmaf.ts"
import { configurationIn } from "./fragments.ts"

interface Shape {
  readonly entry: string
  readonly record: string
  /** Of so many bytes at least. */
  readonly least: number
  readonly nameOf: (record: Buffer) => string
  /** As it is published. */
  readonly publish?: (record: Buffer, rung: Rung) => Buffer
}

const hex = (value: number) => value.toString(16).toUpperCase()
const digits = (value: number) => String(value).padStart(2, "0")

const reversed = (word: number) =>
  Number.parseInt(word.toString(2).padStart(32, "0").split("").reverse().join(""), 2)

/** ISO/IEC 14496-15 annex E: constraint bytes without the empty ones at the end. */
const hevcName = (record: Buffer): string => {
  const profile = record.readUInt8(1)
  const space = ["", "A", "B", "C"][profile >> 6] ?? ""
  const tier = (profile & 0x20) === 0 ? "L" : "H"
  const constraints = [...record.subarray(6, 12)]
  while (constraints.at(-1) === 0) constraints.pop()
  return [
    `hvc1.${space}${profile & 0x1f}`,
    hex(reversed(record.readUInt32BE(2))),
    `${tier}${record.readUInt8(12)}`,
    ...constraints.map(hex),
  ].join(".")
}

const vp9Name = (record: Buffer): string =>
  ["vp09", ...[record[4], record[5], (record[6] ?? 0) >> 4].map((it) => digits(it ?? 0))].join(".")

const av1Name = (record: Buffer): string => {
  const [, levels = 0, depths = 0] = record
  const tier = (depths & 0x80) === 0 ? "M" : "H"
  const isDeep = (depths & 0x40) !== 0
  const isTwelve = (depths & 0x20) !== 0
  const bits = isDeep ? (isTwelve ? 12 : 10) : 8
  return `av01.${levels >> 5}.${digits(levels & 0x1f)}${tier}.${digits(bits)}`
}

/** Written by the muxer, which guesses the level by a piece's own frame rate. */
const withLevel = (record: Buffer, rung: Rung): Buffer => {
  const published = Buffer.from(record)
  published.writeUInt8(levelIn(rung), 5)
  return published
}

const shapes: Readonly<Record<Codec | "h264", Shape>> = {
  h264: {
    entry: "avc1",
    record: "avcC",
    least: 7,
    nameOf: (record) => `avc1.${hex(record.readUIntBE(1, 3)).padStart(6, "0")}`,
  },
  vp9: { entry: "vp09", record: "vpcC", least: 12, nameOf: vp9Name, publish: withLevel },
  hevc: { entry: "hvc1", record: "hvcC", least: 23, nameOf: hevcName },
  av1: { entry: "av01", record: "av1C", least: 4, nameOf: av1Name },
}

/** Of the sample entry that ffmpeg wrote; `null`: it is none of this codec. */
export const codedAs = (rung: Rung, entry: Buffer) => {
  const shape = shapes[rung.codec ?? "h264"]
  const found = configurationIn(entry, shape.record)
  if (found === null || found.length < shape.least) return null
  const record = shape.publish?.(found, rung) ?? found
  return {
    entry: videoEntry(shape.entry, rung.width, rung.height, box(shape.record, record)),
    codecs: shape.nameOf(record),
  }
}
