/**
 * An image that a user uploaded, made anew: decoded in the sandbox under a bound of pixels, turned
 * as its camera said, written as pixels alone. Whatever else was in it stays behind.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { type StillImage, sniffImage } from "#domain/video/still-image.ts"
import { failureOf } from "./failures.ts"
import { copiesOf, extensionOf, readCopies, sizesWithin } from "./picture-copies.ts"
import { type ImageData, type ImageJob, ImageRefused } from "./port.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch, scratch } from "./scratch.ts"

/** 8192 x 8192: more than telephones take. */
const mostPixels = 2 ** 26

/** ffmpeg's `-f`, the name by which `-format_whitelist` knows it, and the only decoder that may touch it. */
const formats = {
  jpeg: { demuxer: "jpeg_pipe", fullName: "jpeg_pipe", decoder: "mjpeg" },
  png: { demuxer: "png_pipe", fullName: "png_pipe", decoder: "png" },
  webp: { demuxer: "webp_pipe", fullName: "webp_pipe", decoder: "webp" },
  avif: { demuxer: "mov", fullName: "mov,mp4,m4a,3gp,3g2,mj2", decoder: "libdav1d" },
} as const

export const imageLimits: Confined["limits"] = {
  mebibytes: 3072,
  cpuSeconds: 20,
  wallSeconds: 60,
  outputMebibytes: 16,
  stdoutBytes: 64 * 1024,
}

export const imageInput = (kind: StillImage) => {
  const { demuxer, fullName, decoder } = formats[kind]
  return [
    ...["-v", "error", "-nostdin", "-y", "-threads", "1", "-filter_complex_threads", "1"],
    ...["-filter_threads", "1", "-max_alloc", String(2 ** 30), "-protocol_whitelist", "file"],
    ...["-format_whitelist", fullName, "-codec_whitelist", decoder, "-max_streams", "8"],
    ...["-max_pixels", String(mostPixels), "-c:v", decoder, "-f", demuxer, "-i", "/in"],
  ]
}

export const once = ["-frames:v", "1"]

/** What shines through is white, as on a page. */
const opaque =
  "format=rgba,split=2[front][under];[under]lutrgb=r=255:g=255:b=255:a=255[back];[back][front]overlay=format=rgb,format=rgb24"

export const shownSize = (framecrc: string) => {
  const [, width, height] = /^#dimensions 0: (\d+)x(\d+)$/m.exec(framecrc) ?? []
  return width === undefined || !/^0,/m.test(framecrc)
    ? null
    : { width: Number(width), height: Number(height) }
}

/** Both sides even, as the colours of JPEG and WebP are stored. */
export const fitted = (size: { readonly width: number; readonly height: number }, side: number) => {
  const scale = Math.min(1, side / size.width, side / size.height)
  const even = (length: number) => Math.max(2, Math.round((length * scale) / 2) * 2)
  return { width: even(size.width), height: even(size.height) }
}

export const isTooLarge = (stderr: string) =>
  /max_pixels|picture size|image size|dimensions/i.test(stderr)

export const ownImageWith = (sandbox: Sandbox) =>
  Effect.fn("ownImage")(function* ({ bytes, name, directory }: ImageJob) {
    const kind = sniffImage(bytes)
    if (kind === null) return yield* new ImageRefused({ code: "not_an_image" })
    const input = join(directory, "image")
    yield* scratch(() => writeFile(input, bytes))
    const spent = { cpuSeconds: 0, peakMebibytes: 0 }

    const run = Effect.fnUntraced(function* (
      words: ReadonlyArray<string>,
      outputs: ReadonlyArray<string>,
    ) {
      const paths = outputs.map((output) => join(directory, output))
      const all = [...imageInput(kind), ...words]
      const outcome = yield* sandbox.run({
        ...{ tool: "ffmpeg", arguments: all, input, outputs: paths, limits: imageLimits },
      })
      spent.cpuSeconds += outcome.cpuSeconds
      spent.peakMebibytes = Math.max(spent.peakMebibytes, outcome.peakMebibytes)
      if (outcome.ending === "ok") return
      const failure = failureOf(outcome, imageLimits)
      // Another try would find the same bytes; only a machine without memory or time may be better.
      if (failure === null || failure._tag === "SourceRefused") {
        const code = isTooLarge(outcome.stderr) ? "too_many_pixels" : "unreadable_image"
        return yield* new ImageRefused({ code })
      }
      return yield* failure
    })

    yield* run([...once, "-fps_mode", "passthrough", "-f", "framecrc", "/out/0"], ["look.txt"])
    const size = shownSize((yield* readScratch(directory, "look.txt")).toString("latin1"))
    if (size === null) return yield* new ImageRefused({ code: "unreadable_image" })

    const sizes = sizesWithin((side) => fitted(size, side))
    const { width, height } = sizes.at(-1) ?? size
    const { graph, words, outputs } = copiesOf(sizes)
    const chain = `[0:v:0]scale=${width}:${height}:flags=bicubic,${opaque},${graph}`
    yield* run(["-filter_complex", chain, ...words(once)], outputs)
    const copies = yield* readCopies(directory, sizes)
    const files = copies.flatMap(({ images: [data], ...copy }): ReadonlyArray<ImageData> => {
      const file = `${name}-${copy.width}.${extensionOf(copy.format)}`
      return data === undefined ? [] : [{ ...copy, name: file, data }]
    })
    if (files.length < copies.length) return yield* new ImageRefused({ code: "unreadable_image" })
    return { files, ...spent }
  })
