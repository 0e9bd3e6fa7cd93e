import { describe, expect, test } from "bun:test"
import { findIndex, planParts } from "./parts.ts"

const MIB = 2 ** 20

const isTiled = (parts: ReturnType<typeof planParts>["parts"], byteLength: number) => {
  let end = 0
  for (const { offset, length } of parts) {
    if (offset !== end || length < 1) return false
    end += length
  }
  return end === byteLength
}

describe("a file's parts", () => {
  test("tile it exactly once, wherever its index lies", () => {
    for (const byteLength of [1, 100, 8 * MIB, 8 * MIB + 1, 100 * MIB]) {
      for (const offset of [0, 1, Math.floor(byteLength / 2), byteLength - 1]) {
        if (offset >= byteLength) continue
        const index = { offset, length: Math.max(1, Math.floor((byteLength - offset) / 3)) }
        expect(isTiled(planParts(byteLength, index).parts, byteLength)).toBe(true)
      }
      expect(isTiled(planParts(byteLength, undefined).parts, byteLength)).toBe(true)
    }
  })

  test("are small at first, so that the first seconds arrive soon, and never over 8 MiB", () => {
    const { parts, first } = planParts(100 * MIB, undefined)
    expect(parts[0]?.length).toBe(MIB / 2)
    expect(Math.max(...parts.map(({ length }) => length))).toBe(8 * MIB)
    expect(first).toEqual([])
  })

  test("that hold the index are named, and hold nothing else", () => {
    const index = { offset: 90 * MIB, length: 9 * MIB }
    const { parts, first } = planParts(100 * MIB, index)
    expect(first.map((number) => parts[number - 1])).toEqual([
      { offset: 90 * MIB, length: 8 * MIB },
      { offset: 98 * MIB, length: MIB },
    ])
  })

  test("behind an index that comes first are small at first", () => {
    const { parts, first } = planParts(100 * MIB, { offset: 32, length: MIB })
    expect(first).toEqual([2])
    expect(parts[2]).toEqual({ offset: 32 + MIB, length: MIB / 2 })
  })
})

describe("the index of an MP4", () => {
  const box = (type: string, size: number) => {
    const bytes = new Uint8Array(size)
    new DataView(bytes.buffer).setUint32(0, size)
    bytes.set(new TextEncoder().encode(type), 4)
    return bytes
  }
  const fileOf = (...boxes: ReadonlyArray<Uint8Array>) => Buffer.concat(boxes)
  const find = (file: Uint8Array) =>
    findIndex(async (offset, length) => file.subarray(offset, offset + length), file.byteLength)

  test("is found behind the media", async () => {
    const file = fileOf(box("ftyp", 24), box("mdat", 5000), box("moov", 300))
    expect(await find(file)).toEqual({ offset: 5024, length: 300 })
  })

  test("is found behind a large box, whose size has 64 bits", async () => {
    const large = box("mdat", 100)
    const view = new DataView(large.buffer)
    view.setUint32(0, 1)
    view.setBigUint64(8, 100n)
    expect(await find(fileOf(box("ftyp", 24), large, box("moov", 20)))).toEqual({
      offset: 124,
      length: 20,
    })
  })

  test("is not looked for in what is no MP4, or lies", async () => {
    expect(await find(new TextEncoder().encode("#EXTM3U and more of a text"))).toBeUndefined()
    expect(await find(box("moov", 20))).toBeUndefined()
    const lying = box("mdat", 100)
    new DataView(lying.buffer).setUint32(0, 1000)
    expect(await find(fileOf(box("ftyp", 24), lying))).toBeUndefined()
    expect(await find(new Uint8Array(0))).toBeUndefined()
  })
})
