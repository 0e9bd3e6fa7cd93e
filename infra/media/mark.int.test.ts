import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, ManagedRuntime } from "effect"
import { type Box, boxOf, usualPlacement } from "#domain/channel/watermark.ts"
import type { Rung } from "#domain/transcode/facts.ts"
import { cutOf } from "./attempts.ts"
import { encodeArguments } from "./encode-arguments.ts"
import { ffmpegMediaTools } from "./ffmpeg.ts"
import { pageOf } from "./mark.ts"
import { type Mark, type MarkFile, MediaTools } from "./port.ts"
import { openIndex } from "./source-index.ts"
import { ffmpeg, fileSource, output } from "./testing.ts"

const directory = mkdtempSync(join(tmpdir(), "mark-"))
const runtime = ManagedRuntime.make(ffmpegMediaTools)
afterAll(async () => {
  await runtime.dispose()
  rmSync(directory, { recursive: true })
})
const file = (name: string) => join(directory, name)

const make = (bytes: Uint8Array, kind: "image" | "text") =>
  runtime.runPromise(
    Effect.gen(function* () {
      const tools = yield* MediaTools
      return yield* Effect.catchTag(
        tools.mark({ bytes, kind, directory }),
        "ImageRefused",
        ({ code }) => Effect.succeed(code),
      )
    }),
  )
const textMark = async (text: string): Promise<MarkFile> => {
  const made = await make(new TextEncoder().encode(text), "text")
  if (typeof made === "string") throw new Error(`${text}: ${made}`)
  return made
}

const pixels = (png: Uint8Array) => {
  writeFileSync(file("look.png"), png)
  ffmpeg("-i", file("look.png"), "-f", "rawvideo", "-pix_fmt", "rgba", file("look.raw"))
  return readFileSync(file("look.raw"))
}

describe("a text as a mark", () => {
  test("is set in the fonts of its script, each letter its own", async () => {
    for (const [one, other] of [
      ["가나", "다라"],
      ["東京", "北京"],
      ["क्ष", "त्र"],
      ["سلام", "كتاب"],
      ["שלום", "תודה"],
      ["ไทย", "ลาว"],
      ["Zoë", "Жук"],
    ] as const) {
      const [first, second] = [await textMark(one), await textMark(other)]
      // Letters that no font has are all the same box.
      expect(Buffer.from(first.data).equals(Buffer.from(second.data))).toBe(false)
      expect(first.width).toBeGreaterThan(40)
    }
  })

  test("is white with a black edge upon nothing, as wide as it is long", async () => {
    const short = await textMark("Anna")
    const long = await textMark("Anna & the very long name of her band")
    expect(long.width).toBeGreaterThan(4 * short.width)
    const shown = pixels(short.data)
    expect(shown.length).toBe(4 * short.width * short.height)
    const alphas = shown.filter((_, i) => i % 4 === 3)
    expect(alphas.some((alpha) => alpha === 0)).toBe(true)
    const solid = Array.from({ length: alphas.length }, (_, i) => i).filter(
      (i) => alphas[i] === 255,
    )
    expect(solid.some((i) => shown[4 * i] === 255)).toBe(true)
    expect(solid.some((i) => shown[4 * i] === 0)).toBe(true)
  })

  test("holds no instructions", async () => {
    const { width, height } = await textMark("A{\\fs900\\p1}m 0 0\\NB, \\h C")
    expect(width).toBeGreaterThan(5 * height)
    const line = pageOf("a\nDialogue: 0,b\\N{\\b1}").split("\n").at(-2)
    expect(line).toEndWith(",,a Dialogue: 0,b\\\u2060N\\{\\\u2060b1\\}")
  })

  test("without a letter to be seen is refused", async () => {
    expect(await make(new TextEncoder().encode(" \u200b "), "text")).toBe("unreadable_image")
  })
})

describe("an image as a mark", () => {
  test("is made anew as a PNG that shines through where it did", async () => {
    const hole = "format=rgba,geq=r=200:g=30:b=30:a='if(lt(X,100),0,255)'"
    ffmpeg(...["-f", "lavfi", "-i", `color=red:s=200x100:d=0.04,${hole}`], file("logo.png"))
    const made = await make(readFileSync(file("logo.png")), "image")
    if (typeof made === "string") throw new Error(made)
    expect(made).toMatchObject({ width: 200, height: 100 })
    const shown = pixels(made.data)
    expect([...shown.subarray(0, 4), ...shown.subarray(796, 800)]).toEqual([
      ...[200, 30, 30, 0],
      ...[200, 30, 30, 255],
    ])
  })

  test("is refused where it is none", async () => {
    expect(await make(new TextEncoder().encode("<svg/>"), "image")).toBe("not_an_image")
    const cut = readFileSync(file("logo.png")).subarray(0, 40)
    expect(await make(cut, "image")).toBe("unreadable_image")
  })
})

describe("a video with a mark", () => {
  const clip = file("clip.mp4")
  const canvas = { width: 640, height: 360 }
  let mark: Mark
  let rungs: ReadonlyArray<Rung> = []
  let index: Uint8Array = new Uint8Array()
  beforeAll(async () => {
    const picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=3"]
    const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2"]
    ffmpeg(...picture, ...x264, clip)
    const made = await textMark("Anna")
    const image = { key: "", bytes: 0, sha256: "", width: made.width, height: made.height }
    const box = boxOf({ image, ...usualPlacement }, canvas)
    mark = { image: made.data, canvas, box, opacity: 0.7 }
    writeFileSync(file("mark.png"), made.data)
    const found = await runtime.runPromise(
      Effect.flatMap(MediaTools, (tools) => tools.inspect(fileSource(clip), directory)),
    )
    index = found.index
    rungs = found.rungs.map(({ copied, ...rung }) => ({ ...rung, ...copied?.instead }))
  })

  /** What the encoders are given, of each rung. */
  const frames = (wanted: ReadonlyArray<Rung>, laid: Mark | undefined) => {
    const opened = openIndex(index)
    const { cut } = cutOf(opened, 0, opened.end)
    const words = encodeArguments({
      ...{ index: opened, cut, seek: null, rungs: wanted, starts: [0], isFirst: true },
      local: { path: clip, map: "0:v:0", seeks: true, isCut: false },
      ...{ isTolerant: false, isHurried: false, mark: laid },
    })
    const graph = words[words.indexOf("-filter_complex") + 1] ?? ""
    const outputs = wanted.flatMap((_, i) => [
      ...["-map", `[o${i}]`, "-fps_mode", "passthrough", "-f", "rawvideo", file(`raw-${i}`)],
    ])
    const inputs = ["-copyts", "-i", clip, ...(laid ? ["-i", file("mark.png")] : [])]
    ffmpeg(...inputs, "-filter_complex", graph, ...outputs)
    return wanted.map((_, i) => readFileSync(file(`raw-${i}`)))
  }

  /** In each plane: how many bytes differ within the box, and how many outside of it. */
  const differences = (one: Buffer, other: Buffer, size: typeof canvas, box: Box) => {
    expect(one.length).toBe(other.length)
    const counts = { inside: 0, outside: 0 }
    const planes = [1, 2, 2]
    for (let at = 0; at < one.length; ) {
      for (const halved of planes) {
        const [width, height] = [size.width / halved, size.height / halved]
        for (let y = 0; y < height; y++, at += width) {
          const rows = [one, other].map((bytes) => bytes.subarray(at, at + width))
          if (rows[0]?.equals(rows[1] ?? rows[0])) continue
          for (let x = 0; x < width; x++) {
            if (rows[0]?.[x] === rows[1]?.[x]) continue
            const [left, top] = [x * halved - box.x, y * halved - box.y]
            const isIn = left >= 0 && left < box.width && top >= 0 && top < box.height
            counts[isIn ? "inside" : "outside"]++
          }
        }
      }
    }
    return counts
  }

  test("differs from one without only in the mark's box, bit by bit", () => {
    const top = rungs.slice(-1)
    const [clean = Buffer.alloc(0)] = frames(top, undefined)
    const [laid = Buffer.alloc(0)] = frames(top, mark)
    expect(clean.length).toBe(75 * 640 * 360 * 1.5)
    const { inside, outside } = differences(clean, laid, canvas, mark.box)
    expect(outside).toBe(0)
    expect(inside).toBeGreaterThan(75 * 100)
  })

  test("carries it at the same relative place on every rung, encoded alone or together", () => {
    const clean = frames(rungs, undefined)
    const together = frames(rungs, mark)
    for (const [i, rung] of rungs.entries()) {
      const scale = rung.height / canvas.height
      /** Scaling takes neighbours into account, once in each step of the cascade. */
      const near = 12
      const box = {
        x: (mark.box.x - near) * scale,
        y: (mark.box.y - near) * scale,
        width: (mark.box.width + 2 * near) * scale,
        height: (mark.box.height + 2 * near) * scale,
      }
      for (const laid of [together[i], frames([rung], mark)[0]]) {
        const unmarked = laid === together[i] ? clean[i] : frames([rung], undefined)[0]
        const { outside, inside } = differences(
          unmarked ?? Buffer.alloc(0),
          laid ?? Buffer.alloc(1),
          rung,
          box,
        )
        expect(outside).toBe(0)
        expect(inside).toBeGreaterThan(100)
      }
    }
  })

  test("keeps every frame when it is encoded, and looks as it did elsewhere", async () => {
    const encoded = await runtime.runPromise(
      Effect.gen(function* () {
        const tools = yield* MediaTools
        const [one] = yield* tools.split(index, rungs)
        if (one === undefined) throw new Error("no piece")
        const { piece } = one
        const job = { source: fileSource(clip), index, piece, rungs, directory, mark }
        return { piece, ...(yield* tools.encode(job)) }
      }),
    )
    expect(encoded.way).toBe("sparse")
    const top = encoded.rungs.at(-1)
    const parts = [top?.init, ...(top?.segments ?? []).map(({ data }) => data)]
    writeFileSync(file("top.mp4"), Buffer.concat(parts.map((part) => part ?? new Uint8Array())))
    const outsideOf = `drawbox=${mark.box.x}:${mark.box.y}:${mark.box.width}:${mark.box.height}:t=fill`
    const graph = `[0:v]${outsideOf}[a];[1:v]trim=end_frame=${encoded.piece.frames},${outsideOf}[b];[a][b]ssim`
    const told = Bun.spawnSync([
      ...["ffmpeg", "-nostdin", "-i", file("top.mp4"), "-i", clip],
      ...["-filter_complex", graph, "-f", "null", "-"],
    ]).stderr.toString()
    expect(Number(/All:([\d.]+)/.exec(told)?.[1])).toBeGreaterThan(0.97)
    const counted = output(
      ...["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v"],
      ...["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file("top.mp4")],
    )
    expect(Number(counted)).toBe(encoded.piece.frames)
  })
})
