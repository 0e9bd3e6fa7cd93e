/**
 * Finds the `moov` of an MP4 by the heads of its top-level boxes alone: the bytes that matter
 * first, wherever the file keeps them.
 */
import { Effect } from "effect"
import { boxHead, isEncrypted, isFragmented } from "./mp4-boxes.ts"
import { type Source, SourceRefused } from "./port.ts"

export interface Mp4Head {
  /** `ftyp`, or nothing in old QuickTime. */
  readonly ftyp: Buffer
  readonly moov: Buffer
  readonly moovAt: number
  readonly isFragmented: boolean
  /** Its media say that they go on behind the end of the file. */
  readonly isTruncated: boolean
  /** The heads of the boxes before it. */
  readonly heads: ReadonlyArray<{ readonly at: number; readonly bytes: Uint8Array }>
}

const mostBoxes = 1000
/** 1.1 KB a second: 12 h are 50 MB. */
const mostMoovBytes = 128 * 2 ** 20

/** Whether the media that follow end where the file does, told by the heads of boxes up to theirs. */
const isCutOff = Effect.fnUntraced(function* <E>(source: Source<E>, from: number) {
  let at = from
  for (let i = 0; i < mostBoxes && at + 8 <= source.byteLength; i++) {
    const bytes = yield* source.read({ from: at, to: Math.min(source.byteLength, at + 16) })
    const head = boxHead(bytes)
    if (head === null || head.size === 0) return false
    if (head.type === "mdat" || at + head.size > source.byteLength)
      return at + head.size > source.byteLength
    at += head.size
  }
  return false
})

export const readMp4Head = Effect.fn("readMp4Head")(function* <E>(source: Source<E>) {
  let ftyp: Buffer = Buffer.alloc(0)
  const heads: Array<{ at: number; bytes: Uint8Array }> = []
  let at = 0
  for (let i = 0; i < mostBoxes && at + 8 <= source.byteLength; i++) {
    const to = Math.min(source.byteLength, at + 16)
    const bytes = yield* source.read({ from: at, to })
    const head = boxHead(bytes)
    if (head === null) break
    const end = head.size === 0 ? source.byteLength : at + head.size
    if (head.type === "ftyp" && end - at <= 4096 && end <= source.byteLength) {
      ftyp = Buffer.from(yield* source.read({ from: at, to: end }))
    }
    if (head.type === "moov") {
      if (end > source.byteLength || end - at > mostMoovBytes) break
      const moov = Buffer.from(yield* source.read({ from: at, to: end }))
      if (isEncrypted(moov)) return yield* new SourceRefused({ code: "encrypted" })
      const found: Mp4Head = {
        ftyp,
        moov,
        moovAt: at,
        isFragmented: isFragmented(moov),
        isTruncated: yield* isCutOff(source, end),
        heads,
      }
      return found
    }
    // Its brand decides how QuickTime's sample entries are read: kept whole.
    heads.push({ at, bytes: head.type === "ftyp" ? ftyp : bytes.subarray(0, head.headBytes) })
    at = end
  }
  return yield* new SourceRefused({ code: "unreadable" })
})
