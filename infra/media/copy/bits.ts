/** Bits of H.264 syntax (ITU-T H.264 §7.2, §9.1): read with bounds, written, and the emulation prevention around them. */
import { refuse } from "./refused.ts"

/** The payload without emulation prevention: 00 00 03 is 00 00. */
export const unescaped = (bytes: Uint8Array, most = bytes.length): Uint8Array => {
  const payload = new Uint8Array(Math.min(bytes.length, most))
  let length = 0
  let zeros = 0
  for (const byte of bytes) {
    if (length === payload.length) break
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    zeros = byte === 0 ? zeros + 1 : 0
    payload[length++] = byte
  }
  return payload.subarray(0, length)
}

export const escaped = (payload: Uint8Array): Buffer => {
  const bytes: Array<number> = []
  let zeros = 0
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3)
      zeros = 0
    }
    bytes.push(byte)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Buffer.from(bytes)
}

export interface BitReader {
  /** How many bits have been read. */
  readonly at: () => number
  readonly bits: (count: number) => number
  readonly flag: () => boolean
  /** Exp-Golomb, refused above what the standard allows. */
  readonly upTo: (most: number, what: string) => number
  readonly unsigned: () => number
  readonly signed: () => number
}

export const bitReader = (bytes: Uint8Array): BitReader => {
  let at = 0
  const bits = (count: number) => {
    let value = 0
    for (let left = count; left > 0; left--) {
      const byte = bytes[at >> 3] ?? refuse("parameter-set-truncated")
      value = value * 2 + ((byte >> (7 - (at & 7))) & 1)
      at += 1
    }
    return value
  }
  const unsigned = () => {
    let zeros = 0
    while (bits(1) === 0) {
      zeros += 1
      if (zeros > 31) refuse("parameter-set-broken", "exp-golomb")
    }
    return 2 ** zeros - 1 + bits(zeros)
  }
  return {
    at: () => at,
    bits,
    flag: () => bits(1) === 1,
    unsigned,
    signed: () => {
      const value = unsigned()
      return value % 2 === 1 ? (value + 1) / 2 : -value / 2
    },
    upTo: (most, what) => {
      const value = unsigned()
      return value <= most ? value : refuse("parameter-set-broken", `${what} ${value}`)
    },
  }
}

export interface BitWriter {
  readonly bits: (count: number, value: number) => void
  readonly unsigned: (value: number) => void
  /** With the stop bit, filled up to a byte. */
  readonly bytes: () => Uint8Array
}

export const bitWriter = (): BitWriter => {
  const written: Array<number> = []
  const bits = (count: number, value: number) => {
    for (let i = count - 1; i >= 0; i--) written.push(Math.floor(value / 2 ** i) & 1)
  }
  return {
    bits,
    unsigned: (value) => {
      const length = Math.floor(Math.log2(value + 1))
      bits(length, 0)
      bits(length + 1, value + 1)
    },
    bytes: () => {
      const bytes = new Uint8Array(Math.ceil((written.length + 1) / 8))
      for (const [i, bit] of [...written, 1].entries()) {
        bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (bit << (7 - (i & 7)))
      }
      return bytes
    },
  }
}
