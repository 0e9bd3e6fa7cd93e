/**
 * The encoder's plain stream of AAC frames (ADTS), and the sample entry of MP4 for them. Its frames
 * carry no times: they follow each other without a gap.
 */
import { box } from "./cmaf.ts"

export const SAMPLES_PER_SECOND = 48_000
const rateIndex = 3
const syncBytes = 2

/** Whole frames without their headers, and how many bytes they took. */
export const framesIn = (bytes: Buffer) => {
  const frames: Array<Buffer> = []
  let at = 0
  while (at + 7 <= bytes.length) {
    const length = (bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff
    const headBytes = ((bytes[at + 1] ?? 0) & 1) === 1 ? 7 : 9
    const isFrame = bytes.readUIntBE(at, syncBytes) >> 4 === 0xfff && length > headBytes
    // Our own encoder wrote it: what is no frame ends the stream.
    if (!isFrame) return { frames, used: bytes.length }
    if (at + length > bytes.length) break
    frames.push(Buffer.from(bytes.subarray(at + headBytes, at + length)))
    at += length
  }
  return { frames, used: at }
}

const descriptor = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, body.length]), body])
}

/** ISO/IEC 14496-3: AAC-LC, 48 kHz, no spectral band replication. */
const configuration = (channels: number) => {
  const lowComplexity = 2
  const first = Buffer.alloc(2)
  first.writeUInt16BE((lowComplexity << 11) | (rateIndex << 7) | (channels << 3))
  return Buffer.concat([first, Buffer.from([0x56, 0xe5, 0x00])])
}

/** `mp4a`; two channels, or six: 5.1. */
export const mp4a = (channels: number, bitsPerSecond: number): Buffer => {
  const fields = Buffer.alloc(28)
  fields.writeUInt16BE(1, 6)
  fields.writeUInt16BE(channels, 16)
  fields.writeUInt16BE(16, 18)
  fields.writeUInt32BE(SAMPLES_PER_SECOND * 65_536, 24)
  const rates = Buffer.alloc(8)
  rates.writeUInt32BE(bitsPerSecond, 4)
  const decoder = descriptor(
    0x04,
    Buffer.from([0x40, 0x15, 0, 0, 0]),
    rates,
    descriptor(0x05, configuration(channels)),
  )
  const stream = descriptor(
    0x03,
    Buffer.from([0, 0, 0]),
    decoder,
    descriptor(0x06, Buffer.from([2])),
  )
  return box("mp4a", fields, box("esds", Buffer.alloc(4), stream))
}
