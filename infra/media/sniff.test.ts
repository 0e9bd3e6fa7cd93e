import { expect, test } from "bun:test"
import { sniff } from "./sniff.ts"

const padded = (start: string | Uint8Array) => {
  const bytes = typeof start === "string" ? Buffer.from(start, "latin1") : Buffer.from(start)
  return Buffer.concat([bytes, Buffer.alloc(4096 - bytes.length)])
}

test("a container is known by its first bytes", () => {
  expect(sniff(padded("\0\0\0\x20ftypisom"))).toBe("mov")
  expect(sniff(padded("\0\0\0\x01mdat"))).toBe("mov")
  expect(sniff(padded("\x1a\x45\xdf\xa3"))).toBe("matroska")
  expect(sniff(padded("RIFF\0\0\0\0AVI "))).toBe("avi")
  expect(sniff(padded("FLV\x01"))).toBe("flv")
  expect(sniff(padded("OggS"))).toBe("ogg")
})

test("a transport stream is known by its rhythm, from any phase", () => {
  const stream = (length: number, phase: number) => {
    const bytes = Buffer.alloc(4096)
    for (let at = phase; at < bytes.length; at += length) bytes[at] = 0x47
    return sniff(bytes)
  }
  expect([stream(188, 0), stream(192, 4), stream(204, 100)]).toEqual(["mpegts", "mpegts", "mpegts"])
})

test("what could make a program open something else is no container", () => {
  for (const text of [
    "#EXTM3U\n",
    "ffconcat version 1.0\n",
    "<?xml version",
    "<svg xmlns",
    "PK\x03\x04",
  ]) {
    expect(sniff(padded(text))).toBeNull()
  }
  expect(sniff(padded("\0\0\0\x04ftypisom"))).toBeNull()
  expect(sniff(Buffer.from("short"))).toBeNull()
})
