/** Boxes of MP4 and QuickTime: walking them, and changing a `moov` so that it fits moved samples. */

export interface Box {
  readonly type: string
  readonly at: number
  readonly body: number
  readonly end: number
}

export interface BoxHead {
  readonly type: string
  readonly headBytes: number
  /** 0: up to the end of the file. */
  readonly size: number
}

/** Of the 16 bytes at a box. `null`: no box can begin so. */
export const boxHead = (bytes: Uint8Array): BoxHead | null => {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (head.length < 8) return null
  const short = head.readUInt32BE(0)
  const type = head.toString("latin1", 4, 8)
  if (short === 1 && head.length < 16) return null
  const size = short === 1 ? Number(head.readBigUInt64BE(8)) : short
  const headBytes = short === 1 ? 16 : 8
  return size !== 0 && size < headBytes ? null : { type, headBytes, size }
}

/** The boxes that lie whole in a range; stops at one that does not. */
export function* boxesIn(bytes: Buffer, from = 0, to = bytes.length): Generator<Box> {
  let at = from
  while (at + 8 <= to) {
    const head = boxHead(bytes.subarray(at, Math.min(to, at + 16)))
    if (head === null) return
    const end = head.size === 0 ? to : at + head.size
    if (end > to) return
    yield { type: head.type, at, body: at + head.headBytes, end }
    at = end
  }
}

/** The first box at a path such as `trak/mdia/hdlr`. */
export const findBox = (
  bytes: Buffer,
  path: string,
  from = 0,
  to = bytes.length,
): Box | undefined => {
  const [type, ...rest] = path.split("/")
  for (const box of boxesIn(bytes, from, to)) {
    if (box.type !== type) continue
    if (rest.length === 0) return box
    const inner = findBox(bytes, rest.join("/"), box.body, box.end)
    if (inner !== undefined) return inner
  }
  return undefined
}

export const tracksOf = (moov: Buffer): ReadonlyArray<Box> => {
  const root = findBox(moov, "moov")
  if (root === undefined) return []
  return [...boxesIn(moov, root.body, root.end)].filter(({ type }) => type === "trak")
}

export const isFragmented = (moov: Buffer): boolean => findBox(moov, "moov/mvex") !== undefined

/** Sample entries that name an encryption scheme: ffmpeg may read them as no media at all. */
export const isEncrypted = (moov: Buffer): boolean =>
  tracksOf(moov).some(({ body, end }) => {
    const entries = findBox(moov, "mdia/minf/stbl/stsd", body, end)
    if (entries === undefined) return false
    const text = moov.toString("latin1", entries.body, entries.end)
    return text.includes("encv") || text.includes("enca")
  })

/** A copy that keeps some tracks only, by their place; the others become free space. */
export const keepTracks = (moov: Buffer, keep: ReadonlyArray<number>): Buffer => {
  const kept = Buffer.from(moov)
  for (const [i, { at }] of tracksOf(moov).entries()) {
    if (!keep.includes(i)) kept.write("free", at + 4, "latin1")
  }
  return kept
}

/** A copy whose chunk offsets went through `move`. */
export const moveChunks = (moov: Buffer, move: (offset: number) => number): Buffer => {
  const moved = Buffer.from(moov)
  for (const { body, end } of tracksOf(moov)) {
    const table = findBox(moved, "mdia/minf/stbl", body, end)
    if (table === undefined) continue
    for (const { type, body: at, end: until } of boxesIn(moved, table.body, table.end)) {
      if (type !== "stco" && type !== "co64") continue
      const width = type === "stco" ? 4 : 8
      const count = Math.min(moved.readUInt32BE(at + 4), Math.floor((until - at - 8) / width))
      for (let i = 0; i < count; i++) {
        const place = at + 8 + i * width
        if (width === 4) moved.writeUInt32BE(move(moved.readUInt32BE(place)) >>> 0, place)
        else moved.writeBigUInt64BE(BigInt(move(Number(moved.readBigUInt64BE(place)))), place)
      }
    }
  }
  return moved
}
