import { afterAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { MediaTools } from "./port.ts"
import { ffmpeg, output } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "own-image-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})
const file = (name: string) => join(directory, name)

const make = (bytes: Uint8Array) =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      return yield* tools.ownImage({ bytes, name: "own", directory }).pipe(
        Effect.match({
          onFailure: (failure) => (failure._tag === "ImageRefused" ? failure.code : failure._tag),
          onSuccess: ({ files }) => files,
        }),
      )
    }),
  )

const drawn = (name: string, size: string, ...words: ReadonlyArray<string>) => {
  ffmpeg("-f", "lavfi", "-i", `testsrc2=s=${size}:d=0.04`, "-frames:v", "1", ...words, file(name))
  return readFileSync(file(name))
}

/** Of a camera held upright, which also tells where it was. */
const withExif = (jpeg: Buffer) => {
  const tiff = Buffer.from(
    [
      ...["4d4d002a00000008", "0002"],
      ...["0112000300000001", "00060000"], // Orientation: turn to the right
      ...["010e000200000010", "00000026"], // ImageDescription
      "00000000",
    ].join("") + Buffer.from("PARIS 48.858 2.3\0").subarray(0, 16).toString("hex"),
    "hex",
  )
  const body = Buffer.concat([Buffer.from("Exif\0\0"), tiff])
  const head = Buffer.from([0xff, 0xe1, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)])
}

describe("an own image", () => {
  for (const [name, ...words] of [
    ["a.jpg"],
    ["a.png"],
    ["a.webp"],
    [
      "a.avif",
      "-c:v",
      "libaom-av1",
      "-cpu-used",
      "8",
      "-still-picture",
      "1",
      "-pix_fmt",
      "yuv420p",
    ],
  ] as const) {
    test(`${name} comes out as JPEG and WebP, never larger`, async () => {
      const made = await make(drawn(name, "800x450", ...words))
      expect(typeof made === "string" ? made : made.map((it) => it.name)).toEqual([
        ...["own-320.jpg", "own-320.webp", "own-640.jpg", "own-640.webp"],
        ...["own-800.jpg", "own-800.webp"],
      ])
    }, 30_000)
  }

  test("of a camera is turned upright, and says nothing about where it was taken", async () => {
    const jpeg = withExif(drawn("camera.jpg", "640x360"))
    expect(jpeg.toString("latin1")).toContain("PARIS")
    const made = await make(jpeg)
    if (typeof made === "string") throw new Error(made)
    for (const { data, name, width, height } of made) {
      expect(width).toBeLessThan(height)
      const text = Buffer.from(data).toString("latin1")
      for (const word of ["PARIS", "Exif", "48.858", "Lav"]) expect(text).not.toContain(word)
      writeFileSync(file(name), data)
      const shown = output(
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "stream=width,height",
        "-of",
        "csv=p=0",
        file(name),
      )
      expect(shown.trim()).toBe(`${width},${height}`)
    }
  }, 30_000)

  test("that lets something through shows white there", async () => {
    const clear = [
      "-f",
      "lavfi",
      "-i",
      "color=red@0.0:s=64x64:d=0.04,format=rgba",
      "-frames:v",
      "1",
    ]
    ffmpeg(...clear, file("clear.png"))
    const made = await make(readFileSync(file("clear.png")))
    if (typeof made === "string") throw new Error(made)
    writeFileSync(file("clear.jpg"), made[0]?.data ?? "")
    ffmpeg(
      "-i",
      file("clear.jpg"),
      "-vf",
      "scale=1:1,format=gray",
      "-f",
      "rawvideo",
      file("clear.gray"),
    )
    expect(readFileSync(file("clear.gray"))[0]).toBeGreaterThan(250)
  }, 30_000)
})

describe("what is no image to be shown has a code", () => {
  const text = (words: string) => Buffer.from(words.padEnd(200))
  test("drawings, pages and lists under an image's name", async () => {
    expect(
      await make(
        text('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
      ),
    ).toBe("not_an_image")
    expect(await make(text("<!doctype html><script>alert(1)</script>"))).toBe("not_an_image")
    expect(await make(text("#EXTM3U\nfile:///etc/passwd"))).toBe("not_an_image")
    expect(await make(text("GIF89a"))).toBe("not_an_image")
    expect(await make(Buffer.alloc(0))).toBe("not_an_image")
  })
  test("only the head of an image", async () => {
    expect(await make(drawn("b.png", "320x180").subarray(0, 40))).toBe("unreadable_image")
    expect(await make(Buffer.from("ffd8ffe000104a46494600", "hex"))).toBe("unreadable_image")
    expect(await make(Buffer.from("0000001c66747970617669660000000061766966", "hex"))).toBe(
      "unreadable_image",
    )
    expect(
      await make(Buffer.concat([Buffer.from("RIFF\x20\0\0\0WEBPVP8 "), Buffer.alloc(20)])),
    ).toBe("unreadable_image")
  }, 30_000)
  test("few bytes that unfold to more pixels than a screen has", async () => {
    const bomb = drawn("bomb.png", "64x64")
    bomb.writeUInt32BE(30_000, 16)
    bomb.writeUInt32BE(30_000, 20)
    bomb.writeUInt32BE(Bun.hash.crc32(bomb.subarray(12, 29)), 29)
    expect(await make(bomb)).toBe("too_many_pixels")
  }, 30_000)
})
