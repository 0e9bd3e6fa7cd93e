/**
 * One picture as files for screens of every width: JPEG for all, WebP for almost all. What is
 * written is pixels alone: no text, no place, no colour profile of the source comes along.
 */
import { Effect } from "effect"
import type { ImageFormat } from "#domain/transcode/facts.ts"
import { readScratch } from "./scratch.ts"

export interface Size {
  readonly width: number
  readonly height: number
}

/** Longest sides. */
const sides = [320, 640, 1280]
const formats = ["jpeg", "webp"] as const

/** Smallest first; none twice where the picture is small. */
export const sizesWithin = (fit: (side: number) => Size): ReadonlyArray<Size> => {
  const sizes = sides.map(fit)
  return sizes.filter(({ width }, i) => sizes[i - 1]?.width !== width)
}

export const extensionOf = (format: ImageFormat) => (format === "jpeg" ? "jpg" : "webp")

/** Bit-exact: without the encoder's name. */
export const jpegEncoder = ["-c:v", "mjpeg", "-q:v", "4", "-threads", "1", "-flags", "+bitexact"]
const webpEncoder = ["-c:v", "libwebp", "-quality", "76", "-threads", "1", "-flags", "+bitexact"]

/** Both formats are defined in the colours of BT.601; JPEG in full range. */
const conversion = ({ width, height }: Size, format: ImageFormat) => {
  const range = format === "jpeg" ? "pc" : "tv"
  const colours = format === "jpeg" ? "yuvj420p" : "yuv420p"
  const scale = `scale=${width}:${height}:flags=bicubic:out_color_matrix=bt601:out_range=${range}`
  return `${scale},setsar=1,format=${colours}`
}

const copiesIn = (sizes: ReadonlyArray<Size>) =>
  sizes.flatMap((size) => formats.map((format) => ({ ...size, format })))

/** The end of a filter graph, and what is written of it: one file of pictures in a row for each copy. */
export const copiesOf = (sizes: ReadonlyArray<Size>) => {
  const copies = copiesIn(sizes)
  const branches = copies.map((copy, i) => `[s${i}]${conversion(copy, copy.format)}[o${i}]`)
  const split = `split=${copies.length}${copies.map((_, i) => `[s${i}]`).join("")}`
  const graph = `sidedata=mode=delete,${[split, ...branches].join(";")}`
  const words = (each: ReadonlyArray<string>) =>
    copies.flatMap(({ format }, i) => [
      ...["-map", `[o${i}]`, "-map_metadata", "-1", "-fps_mode", "passthrough", ...each],
      ...(format === "jpeg"
        ? [...jpegEncoder, "-f", "mjpeg"]
        : [...webpEncoder, "-f", "image2pipe"]),
      `/out/${i}`,
    ])
  return { graph, words, outputs: copies.map((_, i) => `copy-${i}`) }
}

/** Concatenated JPEGs: an end marker before a start marker stands only between two of them. */
export const jpegsIn = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  let from = 0
  while (from < bytes.length) {
    const next = bytes.indexOf("ffd9ffd8", from, "hex")
    const to = next < 0 ? bytes.length : next + 2
    found.push(bytes.subarray(from, to))
    from = to
  }
  return found
}

/** Concatenated WebPs: each tells its length. */
const webpsIn = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  let from = 0
  while (from + 8 <= bytes.length) {
    const to = from + 8 + bytes.readUInt32LE(from + 4)
    found.push(bytes.subarray(from, to))
    from = to
  }
  return found
}

export const readCopies = Effect.fn("readCopies")(function* (
  directory: string,
  sizes: ReadonlyArray<Size>,
) {
  return yield* Effect.forEach(copiesIn(sizes), (copy, i) =>
    readScratch(directory, `copy-${i}`).pipe(
      Effect.map((bytes) => ({
        ...copy,
        images: copy.format === "jpeg" ? jpegsIn(bytes) : webpsIn(bytes),
      })),
    ),
  )
})
