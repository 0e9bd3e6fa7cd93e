/**
 * One coded picture as it is published: its slices alone, behind 4 bytes of length. Parameter sets
 * in band must be the known ones; everything else (SEI, delimiters, filler) is dropped, and whatever
 * would change what a decoder does is refused.
 */
import { bitReader, unescaped } from "./bits.ts"
import { type ParameterSets, readPictureSet } from "./parameter-sets.ts"
import { refuse } from "./refused.ts"

const SLICE = 1
const PARTITIONS: ReadonlySet<number> = new Set([2, 3, 4])
const IDR_SLICE = 5
const SEQUENCE_SET = 7
const PICTURE_SET = 8
const INTRA = 2
/** What the head of a slice needs at most, as far as it is read. */
const sliceHeadBytes = 16

/** Parameter sets against which slices are held. */
export interface KnownSets extends ParameterSets {
  readonly pictureIds: ReadonlySet<number>
}

export const knownSets = (sets: ParameterSets): KnownSets => ({
  ...sets,
  pictureIds: new Set(sets.picture.map((nal) => readPictureSet(nal).id)),
})

function* nalUnits(sample: Buffer, lengthBytes: number): Generator<Buffer> {
  let at = 0
  while (at < sample.length) {
    const from = at + lengthBytes
    if (from > sample.length) refuse("nal-length", "cut")
    const length = sample.readUIntBE(at, lengthBytes)
    if (length > sample.length - from) refuse("nal-length", `${length} of ${sample.length - from}`)
    if (length > 0) yield sample.subarray(from, from + length)
    at = from + length
  }
}

const typeOf = (nal: Buffer) => (nal[0] ?? 0) & 31

const checkParameterSet = (nal: Buffer, { sequence, picture }: ParameterSets) => {
  const known = typeOf(nal) === SEQUENCE_SET ? sequence : picture
  if (!known.some((set) => set.equals(nal))) refuse("parameter-sets-change", typeOf(nal))
}

const sliceHead = (nal: Buffer, { pictureIds }: KnownSets) => {
  const from = bitReader(unescaped(nal.subarray(1), sliceHeadBytes))
  const macroblock = from.unsigned()
  const kind = from.upTo(9, "slice_type") % 5
  const set = from.unsigned()
  if (kind > INTRA) refuse("slice-type", kind)
  if (!pictureIds.has(set)) refuse("pps-unknown", set)
  const isReference = ((nal[0] ?? 0) & 0x60) !== 0
  if (typeOf(nal) === IDR_SLICE && (kind !== INTRA || !isReference)) refuse("idr-broken")
  return macroblock
}

export interface AccessUnit {
  readonly data: Buffer
  readonly isIdr: boolean
}

/** Throws `CopyRefused`. */
export const published = (sample: Buffer, known: KnownSets): AccessUnit => {
  const parts: Array<Buffer> = []
  let isIdr: boolean | null = null
  let last = -1
  for (const nal of nalUnits(sample, known.lengthBytes)) {
    const type = typeOf(nal)
    if (((nal[0] ?? 0) & 0x80) !== 0) refuse("nal-forbidden-bit")
    if (PARTITIONS.has(type)) refuse("data-partitioning")
    if (type === SEQUENCE_SET || type === PICTURE_SET) checkParameterSet(nal, known)
    if (type !== SLICE && type !== IDR_SLICE) continue
    const macroblock = sliceHead(nal, known)
    if (isIdr === null ? macroblock !== 0 : macroblock <= last) refuse("slice-order", macroblock)
    if (isIdr !== null && isIdr !== (type === IDR_SLICE)) refuse("mixed-slices")
    last = macroblock
    isIdr = type === IDR_SLICE
    const length = Buffer.alloc(4)
    length.writeUInt32BE(nal.length)
    parts.push(length, nal)
  }
  return isIdr === null ? refuse("no-picture") : { data: Buffer.concat(parts), isIdr }
}
