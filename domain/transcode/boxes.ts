/** Boxes of ISO/IEC 14496-12: written, and found by their path in a header that is ours. */
import { typeAt, viewOf } from "./segment-head.ts"

const encoder = new TextEncoder()
export const letters = (text: string) => encoder.encode(text)

export const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
export const u32 = (values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  const view = viewOf(bytes)
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value >>> 0)
  return bytes
}
export const u16 = (...values: ReadonlyArray<number>) => {
  const bytes = new Uint8Array(values.length * 2)
  const view = viewOf(bytes)
  for (const [i, value] of values.entries()) view.setUint16(i * 2, value)
  return bytes
}
export const u64 = (values: ReadonlyArray<number>) =>
  u32(values.flatMap((value) => [Math.floor(value / 2 ** 32), value % 2 ** 32]))
export const box = (type: string, ...parts: ReadonlyArray<Uint8Array>) =>
  joined([u32([parts.reduce((sum, part) => sum + part.length, 8)]), letters(type), ...parts])
export const matrix = u32([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000])

/** From and to of the body of the first box at a path. */
export const bodyOf = (bytes: Uint8Array, path: ReadonlyArray<string>) => {
  const view = viewOf(bytes)
  let [at, end] = [0, bytes.length]
  for (const type of path) {
    while (at + 8 <= end && typeAt(view, at) !== type) at += Math.max(8, view.getUint32(at))
    if (at + 8 > end) return null
    end = Math.min(end, at + view.getUint32(at))
    at += 8
  }
  return { from: at, to: end }
}
