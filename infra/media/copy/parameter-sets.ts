/** Picture parameter sets, and the `avcC` record (ISO/IEC 14496-15 §5.3.3) that carries both kinds. */
import { bitReader, unescaped } from "./bits.ts"
import { refuse } from "./refused.ts"
import { isHigh } from "./sequence-set.ts"

const PICTURE_SET = 8
const mostBytes = 512

/** Throws `CopyRefused` for what viewers' decoders need not know: slice groups, redundant pictures. */
export const readPictureSet = (nal: Buffer): { readonly id: number; readonly sequence: number } => {
  if (nal.length < 2 || ((nal[0] ?? 0) & 31) !== PICTURE_SET) refuse("pps-missing")
  const from = bitReader(unescaped(nal.subarray(1), mostBytes))
  const id = from.upTo(255, "pic_parameter_set_id")
  const sequence = from.upTo(31, "seq_parameter_set_id")
  from.bits(2)
  if (from.unsigned() !== 0) refuse("slice-groups")
  from.upTo(31, "num_ref_idx_l0")
  from.upTo(31, "num_ref_idx_l1")
  from.bits(1)
  if (from.bits(2) === 3) refuse("parameter-set-broken", "weighted_bipred_idc 3")
  for (let i = 0; i < 3; i++) from.signed()
  from.bits(2)
  if (from.flag()) refuse("redundant-pictures")
  return { id, sequence }
}

export interface ParameterSets {
  /** Bytes before each NAL unit that tell its length. */
  readonly lengthBytes: number
  readonly sequence: ReadonlyArray<Buffer>
  readonly picture: ReadonlyArray<Buffer>
}

export const readAvcC = (record: Buffer): ParameterSets => {
  if (record.length < 7 || record[0] !== 1) refuse("avcc")
  let at = 5
  const sets = (mask: number) => {
    const count = (record[at] ?? refuse("avcc", "cut")) & mask
    at += 1
    return Array.from({ length: count }, () => {
      const length = at + 2 <= record.length ? record.readUInt16BE(at) : refuse("avcc", "cut")
      const from = at + 2
      at = from + length
      return at <= record.length ? record.subarray(from, at) : refuse("avcc", "cut")
    })
  }
  const lengthBytes = ((record[4] ?? 0) & 3) + 1
  return { lengthBytes, sequence: sets(31), picture: sets(255) }
}

const withLength = (nal: Buffer) => [Buffer.from([nal.length >> 8, nal.length & 255]), nal]

/** 8 bit 4:2:0, NAL units behind 4 bytes of length. */
export const writeAvcC = (sequence: Buffer, picture: ReadonlyArray<Buffer>): Buffer => {
  const [profile = 0, constraints = 0, level = 0] = sequence.subarray(1, 4)
  return Buffer.concat([
    Buffer.from([1, profile, constraints, level, 0xff, 0xe1]),
    ...withLength(sequence),
    Buffer.from([picture.length]),
    ...picture.flatMap(withLength),
    Buffer.from(isHigh(profile) ? [0xfd, 0xf8, 0xf8, 0] : []),
  ])
}

/** RFC 6381: `avc1.64001F`. */
export const codecsOf = (sequence: Buffer): string =>
  `avc1.${sequence.subarray(1, 4).toString("hex").toUpperCase()}`
