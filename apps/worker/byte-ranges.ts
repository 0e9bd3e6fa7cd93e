/** Which bytes of a file are there: sorted half-open ranges that neither touch nor overlap. */
import type { ByteRange } from "#infra/media/port.ts"

export type ByteRanges = ReadonlyArray<ByteRange>

export const withRange = (held: ByteRanges, { from, to }: ByteRange): ByteRanges => {
  if (to <= from) return held
  const apart = held.filter((range) => range.to < from || range.from > to)
  const joined = held.filter((range) => range.to >= from && range.from <= to)
  const merged = {
    from: Math.min(from, ...joined.map((range) => range.from)),
    to: Math.max(to, ...joined.map((range) => range.to)),
  }
  return [...apart, merged].sort((a, b) => a.from - b.from)
}

/** The parts of a range that are not there yet. */
export const missingFrom = (held: ByteRanges, { from, to }: ByteRange): ByteRanges => {
  const missing: Array<ByteRange> = []
  let at = from
  for (const range of held) {
    if (range.to <= at || range.from >= to) continue
    if (range.from > at) missing.push({ from: at, to: range.from })
    at = Math.max(at, range.to)
  }
  if (at < to) missing.push({ from: at, to })
  return missing
}

export const bytesIn = (held: ByteRanges): number =>
  held.reduce((sum, { from, to }) => sum + to - from, 0)
