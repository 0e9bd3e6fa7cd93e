import { expect, test } from "bun:test"
import { avc1, initOf, type Sample, segmentOf } from "#infra/media/cmaf.ts"
import { boxesIn, findBox } from "#infra/media/mp4-boxes.ts"
import { type Progressive, progressive, sampleTable, trackHeader } from "./progressive.ts"
import { keyPictureBytes, segmentHead } from "./segment-head.ts"

const DELAY = 18_000
const init = initOf({
  entry: avc1(640, 360, Buffer.from([1, 100, 0, 30])),
  timescale: 90_000,
  delay: DELAY,
  size: { width: 640, height: 360 },
})
/** Three pictures, the second shown last. */
const samplesFrom = (start: number): ReadonlyArray<Sample> =>
  [0, 7200, 3600].map((pts, i) => ({
    ...{ pts: start + pts, isKey: i === 0, data: Buffer.alloc(100 + i, start / 10_800 + 1) },
  }))
const segments = [0, 10_800].map((start, k) =>
  segmentOf(k + 1, samplesFrom(start), start + 10_800, DELAY),
)

const tableOf = (parts: ReadonlyArray<Uint8Array>) => {
  const header = trackHeader(init)
  if (header === null) throw new Error("no header")
  const table = sampleTable(header)
  for (const [k, bytes] of parts.entries()) expect(table.add(`${k}`, bytes)).toBe(true)
  return table
}
const numbersIn = ({ head }: Progressive, table: string) => {
  const bytes = Buffer.from(head)
  const box = findBox(bytes, `moov/trak/mdia/minf/stbl/${table}`)
  if (box === undefined) return []
  const count = (box.end - box.body - 4) / 4
  return Array.from({ length: count }, (_, i) => bytes.readUInt32BE(box.body + 4 + i * 4))
}

test("the header of a rendition is read back as it was written", () => {
  expect(trackHeader(init)).toMatchObject({
    timescale: 90_000,
    delay: DELAY,
    size: { width: 640, height: 360 },
  })
})

test("the first picture of a segment ends where its bytes end", () => {
  const [segment = Buffer.alloc(0)] = segments
  const end = keyPictureBytes(segment.subarray(0, 192)) ?? 0
  expect(segment.length - end).toBe(101 + 102)
  expect(keyPictureBytes(segment.subarray(0, 60))).toBeNull()
  expect(keyPictureBytes(Buffer.alloc(400, 7))).toBeNull()
})

test("a file tells every sample's length, time and place, and its media are the segments' own", () => {
  const file = progressive([tableOf(segments)])
  expect([...boxesIn(Buffer.from(file.head))].map(({ type }) => type)).toEqual(["ftyp", "moov"])
  expect(numbersIn(file, "stsz")).toEqual([0, 6, 100, 101, 102, 100, 101, 102])
  expect(numbersIn(file, "stts")).toEqual([1, 6, 3600])
  expect(numbersIn(file, "ctts")).toEqual([
    6, 1, 18_000, 1, 21_600, 1, 14_400, 1, 18_000, 1, 21_600, 1, 14_400,
  ])
  expect(numbersIn(file, "stss")).toEqual([2, 1, 4])
  expect(numbersIn(file, "stsc")).toEqual([1, 1, 3, 1])
  const [, ...places] = numbersIn(file, "stco")
  expect(places).toEqual(file.slices.map(({ at }) => at))
  expect(places[0]).toBe(file.head.length)
  expect(file.byteLength).toBe(file.head.length + 606)
  for (const [k, slice] of file.slices.entries()) {
    const media = segments[k]?.subarray(slice.from, slice.from + slice.bytes)
    expect(media?.every((byte) => byte === k + 1)).toBe(true)
  }
})

test("a table of pictures that begin late waits for them", () => {
  const late = segmentOf(1, samplesFrom(10_800), 21_600, DELAY)
  const file = progressive([tableOf([late])])
  const edits = findBox(Buffer.from(file.head), "moov/trak/edts/elst")
  const bytes = Buffer.from(file.head)
  expect(bytes.readUInt32BE((edits?.body ?? 0) + 4)).toBe(2)
  expect(Number(bytes.readBigUInt64BE((edits?.body ?? 0) + 8))).toBe(10_800)
})

test("a file of more than 4 GiB has wide places", () => {
  const large = segments.map((segment) => {
    const copy = Buffer.from(segment)
    copy.writeUInt32BE(2 ** 32 - 1, (segmentHead(copy)?.rowsAt ?? 0) + 4)
    return copy
  })
  const file = progressive([tableOf(large)])
  expect(numbersIn(file, "stco")).toEqual([])
  expect(numbersIn(file, "co64").slice(0, 3)).toEqual([2, 0, file.head.length])
  expect(file.byteLength).toBeGreaterThan(2 ** 33)
})

test("bytes that are no segment of ours are refused", () => {
  const header = trackHeader(init)
  if (header === null) throw new Error("no header")
  expect(sampleTable(header).add("x", Buffer.from("not a segment at all, whatever it says"))).toBe(
    false,
  )
  expect(sampleTable(header).add("x", segments[0]?.subarray(0, 150) ?? Buffer.alloc(0))).toBe(false)
  expect(trackHeader(Buffer.alloc(64))).toBeNull()
})
