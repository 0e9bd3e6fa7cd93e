/**
 * Where the parts of a container begin that can be fetched apart: clusters of Matroska, fragments of
 * MP4. Walked by the heads of elements alone, in a local file.
 */
import { open } from "node:fs/promises"
import { boxHead } from "./mp4-boxes.ts"
import { scratch } from "./scratch.ts"
import type { SourceIndex } from "./source-index.ts"

type ReadAt = (at: number) => Promise<Buffer>

const headBytes = 16
const mostUnits = 200_000

const SEGMENT = 0x18538067
const CLUSTER = 0x1f43b675
/** An EBML head: identifier of 1-4 bytes, size of 1-8, all ones for "unknown". */
const ebmlHead = (bytes: Buffer) => {
  const lengthOf = (at: number) => Math.clz32(bytes[at] ?? 0) - 23
  const idBytes = lengthOf(0)
  if (idBytes > 4 || bytes.length < idBytes + 1) return null
  const sizeBytes = lengthOf(idBytes)
  if (sizeBytes > 8 || bytes.length < idBytes + sizeBytes) return null
  let size = (bytes[idBytes] ?? 0) & (0xff >> sizeBytes)
  let isUnknown = size === 0xff >> sizeBytes
  for (const byte of bytes.subarray(idBytes + 1, idBytes + sizeBytes)) {
    size = size * 256 + byte
    isUnknown &&= byte === 0xff
  }
  return { id: bytes.readUIntBE(0, idBytes), head: idBytes + sizeBytes, size, isUnknown }
}

/** A cluster of unknown size is entered: its blocks tell theirs, and the next cluster follows. */
const clustersIn = async (readAt: ReadAt, byteLength: number) => {
  const starts: Array<number> = []
  let at = 0
  while (at < byteLength && starts.length < mostUnits) {
    const element = ebmlHead(await readAt(at))
    if (element === null) break
    const { id, head, size, isUnknown } = element
    if (id === CLUSTER) starts.push(at)
    const opens = id === SEGMENT || (id === CLUSTER && isUnknown)
    if (isUnknown && !opens) break
    at += opens ? head : head + size
  }
  return starts
}

const fragmentsIn = async (readAt: ReadAt, byteLength: number) => {
  const starts: Array<number> = []
  let at = 0
  while (at + 8 <= byteLength && starts.length < mostUnits) {
    const head = boxHead(await readAt(at))
    if (head === null || head.size === 0) break
    if (head.type === "moof") starts.push(at)
    at += head.size
  }
  return starts
}

export const unitsIn = (path: string, cut: SourceIndex["cut"], byteLength: number) =>
  scratch(async () => {
    if (cut !== "matroska" && cut !== "fragments") return []
    const file = await open(path, "r")
    try {
      const readAt = async (at: number) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, at)
        return buffer.subarray(0, bytesRead)
      }
      const walk = cut === "matroska" ? clustersIn : fragmentsIn
      return await walk(readAt, byteLength)
    } finally {
      await file.close()
    }
  })
