/**
 * Which bytes of a container that is read in file order hold a run of packets: whole clusters,
 * fragments, tags or transport packets, after a head that describes the streams.
 */
import type { ByteRange } from "./port.ts"
import { KEY, type SourceIndex } from "./source-index.ts"

export interface Run {
  /** The head is [0, head). */
  readonly head: number
  readonly run: ByteRange
}

const unitsAround = (units: ReadonlyArray<number>, from: number, to: number, end: number) => ({
  from: units.findLast((start) => start <= from) ?? 0,
  to: units.find((start) => start > to) ?? end,
})

/** From the packet numbered `first` to the one numbered `last`, in file order. */
export const runOf = (index: SourceIndex, first: number, last: number): Run => {
  const { at, flags } = index.video.packets
  const { byteLength, cut, units } = index
  const from = at[first] ?? 0
  const to = at[last] ?? byteLength
  const joined = (head: number, run: ByteRange): Run =>
    run.from <= head ? { head: 0, run: { from: 0, to: run.to } } : { head, run }
  switch (cut) {
    case "matroska":
    case "fragments":
      return joined(units[0] ?? 0, unitsAround(units, from, to, byteLength))
    case "flv":
      return joined(at[0] ?? 0, { from, to: at[last + 1] ?? byteLength })
    default: {
      // Parameter sets may stand in the first key access unit alone; a picture ends where the next
      // but one begins, for its last transport packets may lie behind the next one's first.
      const firstKey = flags.findIndex((flag) => (flag & KEY) !== 0)
      return joined(at[firstKey + 1] ?? 0, { from, to: at[last + 2] ?? byteLength })
    }
  }
}

const EBML_VOID = 0xec

/** An element over the hole, so that offsets stay what the container says; `null`: no hole is kept. */
export const fillerOf = (cut: SourceIndex["cut"], holeBytes: number): Uint8Array | null => {
  if (cut === "matroska" && holeBytes >= 9) {
    const head = Buffer.alloc(9)
    head.writeUInt8(EBML_VOID, 0)
    head.writeBigUInt64BE((1n << 56n) + BigInt(holeBytes - 9), 1)
    return head
  }
  if (cut === "fragments" && holeBytes >= 16) {
    const head = Buffer.alloc(16)
    head.writeUInt32BE(1, 0)
    head.write("free", 4, "latin1")
    head.writeBigUInt64BE(BigInt(holeBytes), 8)
    return head
  }
  return null
}
