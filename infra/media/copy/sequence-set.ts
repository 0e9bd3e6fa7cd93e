/**
 * The sequence parameter set of H.264 (§7.3.2.1, annex E): read, and written anew. A source's own
 * one never reaches a viewer: clocks, buffering models and levels in it may lie.
 */
import { type BitReader, bitReader, bitWriter, escaped, unescaped } from "./bits.ts"
import { refuse } from "./refused.ts"

/** Primaries, transfer, matrix. */
export type Colour = readonly [primaries: number, transfer: number, matrix: number]

export interface SequenceSet {
  readonly id: number
  readonly profile: number
  readonly constraints: number
  readonly level: number
  /** 1: 4:2:0. */
  readonly chroma: number
  readonly bitDepth: number
  readonly references: number
  readonly isProgressive: boolean
  readonly codedWidth: number
  readonly codedHeight: number
  readonly width: number
  readonly height: number
  /** 0:0 where nothing says. */
  readonly pixelAspect: readonly [number, number]
  readonly isFullRange: boolean
  readonly colour: Colour | null
  readonly hasClock: boolean
  /** How many pictures a decoder holds, where the source tells. */
  readonly restriction: { readonly reorder: number; readonly buffering: number } | null
  /** Bits before the usability information. */
  readonly usabilityAt: number
}

const SEQUENCE_SET = 7
const mostBytes = 1024
/** Profiles whose sets tell chroma and depth. */
const tellsChroma = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])
export const isHigh = (profile: number) => tellsChroma.has(profile)

const OWN_ASPECT = 255
/** Table E-1. */
const aspects: ReadonlyArray<readonly [number, number]> = [
  ...([
    [0, 0],
    [1, 1],
    [12, 11],
    [10, 11],
    [16, 11],
    [40, 33],
    [24, 11],
    [20, 11],
  ] as const),
  ...([
    [32, 11],
    [80, 33],
    [18, 11],
    [15, 11],
    [64, 33],
    [160, 99],
    [4, 3],
    [3, 2],
  ] as const),
  [2, 1],
]

const skipScalingLists = (from: BitReader, count: number) => {
  for (let list = 0; list < count; list++) {
    if (!from.flag()) continue
    let last = 8
    let next = 8
    for (let i = 0; i < (list < 6 ? 16 : 64) && next !== 0; i++) {
      next = (last + from.signed() + 256) & 255
      last = next === 0 ? last : next
    }
  }
}

const chromaOf = (from: BitReader, profile: number) => {
  if (!isHigh(profile)) return { chroma: 1, bitDepth: 8 }
  const chroma = from.upTo(3, "chroma_format_idc")
  if (chroma === 3 && from.flag()) refuse("chroma", "separate planes")
  const luma = from.upTo(6, "bit_depth_luma")
  const bitDepth = 8 + Math.max(luma, from.upTo(6, "bit_depth_chroma"))
  if (from.flag()) refuse("lossless")
  if (from.flag()) skipScalingLists(from, chroma === 3 ? 12 : 8)
  return { chroma, bitDepth }
}

const skipOrder = (from: BitReader) => {
  const type = from.upTo(2, "pic_order_cnt_type")
  if (type === 0) from.upTo(12, "log2_max_pic_order_cnt_lsb")
  if (type !== 1) return
  from.bits(1)
  from.signed()
  from.signed()
  const cycle = from.upTo(255, "pic_order_cnt_cycle")
  for (let i = 0; i < cycle; i++) from.signed()
}

const sizeOf = (from: BitReader, chroma: number) => {
  const codedWidth = (from.upTo(1023, "pic_width") + 1) * 16
  const rows = from.upTo(1023, "pic_height") + 1
  const isProgressive = from.flag()
  if (!isProgressive) from.bits(1)
  from.bits(1)
  const fields = isProgressive ? 1 : 2
  const codedHeight = rows * 16 * fields
  const isCropped = from.flag()
  const edge = () => (isCropped ? from.unsigned() : 0)
  const [left, right, top, bottom] = [edge(), edge(), edge(), edge()]
  const across = chroma === 1 || chroma === 2 ? 2 : 1
  const down = (chroma === 1 ? 2 : 1) * fields
  const width = codedWidth - across * (left + right)
  const height = codedHeight - down * (top + bottom)
  if (width < 16 || height < 16) refuse("parameter-set-broken", `picture ${width}x${height}`)
  return { isProgressive, codedWidth, codedHeight, width, height }
}

const skipBuffering = (from: BitReader): boolean => {
  if (!from.flag()) return false
  const count = from.upTo(31, "cpb_cnt")
  from.bits(8)
  for (let i = 0; i <= count; i++) {
    from.unsigned()
    from.unsigned()
    from.bits(1)
  }
  from.bits(20)
  return true
}

const aspectOf = (from: BitReader): readonly [number, number] => {
  if (!from.flag()) return [0, 0]
  const number = from.bits(8)
  return number === OWN_ASPECT ? [from.bits(16), from.bits(16)] : (aspects[number] ?? [0, 0])
}

const colourOf = (from: BitReader) => {
  if (!from.flag()) return { isFullRange: false, colour: null }
  from.bits(3)
  const isFullRange = from.flag()
  if (!from.flag()) return { isFullRange, colour: null }
  const colour: Colour = [from.bits(8), from.bits(8), from.bits(8)]
  return { isFullRange, colour }
}

const restrictionOf = (from: BitReader): SequenceSet["restriction"] => {
  if (!from.flag()) return null
  from.bits(1)
  for (let i = 0; i < 4; i++) from.unsigned()
  const reorder = from.upTo(16, "max_num_reorder_frames")
  return { reorder, buffering: from.upTo(16, "max_dec_frame_buffering") }
}

const usabilityOf = (from: BitReader) => {
  const pixelAspect = aspectOf(from)
  if (from.flag()) from.bits(1)
  const { isFullRange, colour } = colourOf(from)
  if (from.flag()) {
    from.upTo(5, "chroma_sample_loc_type")
    from.upTo(5, "chroma_sample_loc_type")
  }
  const hasClock = from.flag()
  if (hasClock) from.bits(65)
  const hasNal = skipBuffering(from)
  const hasVcl = skipBuffering(from)
  if (hasNal || hasVcl) from.bits(1)
  from.bits(1)
  return { pixelAspect, isFullRange, colour, hasClock, restriction: restrictionOf(from) }
}

const nothingSaid = {
  pixelAspect: [0, 0],
  isFullRange: false,
  colour: null,
  hasClock: false,
  restriction: null,
} as const

/** Throws `CopyRefused`. */
export const readSequenceSet = (nal: Buffer): SequenceSet => {
  if (nal.length < 5 || ((nal[0] ?? 0) & 31) !== SEQUENCE_SET) refuse("sps-missing")
  const from = bitReader(unescaped(nal.subarray(1), mostBytes))
  const [profile, constraints, level] = [from.bits(8), from.bits(8), from.bits(8)]
  const id = from.upTo(31, "seq_parameter_set_id")
  const { chroma, bitDepth } = chromaOf(from, profile)
  from.upTo(12, "log2_max_frame_num")
  skipOrder(from)
  const references = from.upTo(16, "max_num_ref_frames")
  // Frames left out on purpose (temporal layers dropped): decoders invent them.
  if (from.flag()) refuse("frame-num-gaps")
  const size = sizeOf(from, chroma)
  const usabilityAt = from.at()
  const usability = from.flag() ? usabilityOf(from) : nothingSaid
  return {
    ...{ id, profile, constraints, level, chroma, bitDepth, references, usabilityAt },
    ...size,
    ...usability,
  }
}

export interface Published {
  readonly level: number
  readonly reorder: number
  readonly buffering: number
  /** Written where the source says none. */
  readonly colour: Colour
}

/** The source's up to the usability information, then our own: square pixels, colour, no clock, pictures held as measured. */
export const writeSequenceSet = (nal: Buffer, known: SequenceSet, to: Published): Buffer => {
  const payload = Buffer.from(unescaped(nal.subarray(1), mostBytes))
  const reservedBits = 0xfc
  payload[1] = (payload[1] ?? 0) & reservedBits
  payload[2] = to.level
  const from = bitReader(payload)
  const out = bitWriter()
  for (let i = 0; i < known.usabilityAt; i++) out.bits(1, from.bits(1))
  out.bits(1, 1)
  // Aspect 1:1, no overscan; video signal: unspecified format, video range, colour.
  out.bits(1, 1)
  out.bits(8, 1)
  out.bits(1, 0)
  out.bits(1, 1)
  out.bits(3, 5)
  out.bits(1, 0)
  out.bits(1, 1)
  for (const part of known.colour ?? to.colour) out.bits(8, part)
  // No chroma location, clock, buffering model of either kind, picture structure.
  out.bits(5, 0)
  // Restriction: motion vectors over the edges, no bounds but those on held pictures.
  out.bits(2, 3)
  for (const value of [0, 0, 16, 16, to.reorder, to.buffering]) out.unsigned(value)
  return Buffer.concat([Buffer.from([0x67]), escaped(out.bytes())])
}
