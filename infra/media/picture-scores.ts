/**
 * Which frames stand for a video: light enough to see, full of detail, sharp, and not the same scene
 * thrice. Frames come small, as planar Y, U, V of video range, half as many colours as lights. Pure.
 */

export interface SmallFrame {
  /** Ticks. */
  readonly at: number
  readonly width: number
  readonly height: number
  readonly planes: Uint8Array
}

/** What a look at one frame gives; `glance` is a tiny copy, to tell scenes apart. */
export interface Looked {
  readonly at: number
  readonly score: number
  readonly glance: ReadonlyArray<number>
}

const BLACK = 16
const WHITE = 235
const bins = 64
const glanceSide = 8
/** Mean difference of two glances from which on they show different things. */
const otherScene = 20

const lightsOf = ({ width, height, planes }: SmallFrame) => planes.subarray(0, width * height)

const distribution = (lights: Uint8Array) => {
  const counts = new Uint32Array(bins)
  let sum = 0
  let squares = 0
  let dark = 0
  for (const light of lights) {
    counts[light >> 2] = (counts[light >> 2] ?? 0) + 1
    sum += light
    squares += light * light
    if (light < 2 * BLACK) dark += 1
  }
  const mean = sum / lights.length
  const entropy = counts.reduce((bits, count) => {
    const share = count / lights.length
    return share === 0 ? bits : bits - share * Math.log2(share)
  }, 0)
  const contrast = Math.sqrt(Math.max(0, squares / lights.length - mean * mean))
  return { mean, contrast, entropy, darkShare: dark / lights.length }
}

/** Variance of the Laplacian: what blur takes away first. */
const sharpness = (lights: Uint8Array, width: number, height: number) => {
  let sum = 0
  let squares = 0
  let count = 0
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1; x < width - 1; x += 1) {
      const i = y * width + x
      const around =
        (lights[i - 1] ?? 0) +
        (lights[i + 1] ?? 0) +
        (lights[i - width] ?? 0) +
        (lights[i + width] ?? 0)
      const edge = 4 * (lights[i] ?? 0) - around
      sum += edge
      squares += edge * edge
      count += 1
    }
  }
  return count === 0 ? 0 : squares / count - (sum / count) ** 2
}

/** Mean distance of the colours from grey. */
const colourfulness = ({ width, height, planes }: SmallFrame) => {
  const colours = planes.subarray(width * height)
  return colours.reduce((sum, colour) => sum + Math.abs(colour - 128), 0) / (colours.length || 1)
}

const glanceOf = (lights: Uint8Array, width: number, height: number) =>
  Array.from({ length: glanceSide ** 2 }, (_, i) => {
    const left = Math.floor(((i % glanceSide) * width) / glanceSide)
    const top = Math.floor((Math.floor(i / glanceSide) * height) / glanceSide)
    const right = Math.max(left + 1, Math.floor(left + width / glanceSide))
    const bottom = Math.max(top + 1, Math.floor(top + height / glanceSide))
    let sum = 0
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) sum += lights[y * width + x] ?? 0
    }
    return sum / ((right - left) * (bottom - top))
  })

/** 1 between a dim room and a bright sky, 0 at black, little at white. */
const lightFactor = (mean: number) => {
  const fromBlack = Math.min(1, Math.max(0, (mean - BLACK) / 50))
  const fromWhite = Math.min(1, Math.max(0.2, (WHITE - mean) / 40))
  return fromBlack * fromWhite
}

export const look = (frame: SmallFrame): Looked => {
  const { width, height, at } = frame
  const lights = lightsOf(frame)
  const { mean, contrast, entropy, darkShare } = distribution(lights)
  const detail = Math.min(1, entropy / 5)
  const sharp = Math.min(1, Math.log2(1 + sharpness(lights, width, height)) / 11)
  const colour = Math.min(1, colourfulness(frame) / 24)
  const flat = contrast < 8 ? contrast / 8 : 1
  const mostlyDark = darkShare > 0.85 ? 0.2 : 1
  const quality = 0.4 * detail + 0.45 * sharp + 0.15 * colour
  const score = quality * lightFactor(mean) * (0.1 + 0.9 * flat) * mostlyDark
  return { at, score, glance: glanceOf(lights, width, height) }
}

const difference = (one: Looked, other: Looked) =>
  one.glance.reduce((sum, light, i) => sum + Math.abs(light - (other.glance[i] ?? 0)), 0) /
  (one.glance.length || 1)

/** What a frame is still worth beside those already taken. */
const worthBeside = (taken: ReadonlyArray<Looked>, frame: Looked) => {
  const nearest = Math.min(otherScene, ...taken.map((it) => difference(it, frame)))
  return frame.score * (0.1 + (0.9 * nearest) / otherScene)
}

/** The best ones, best first; of equally good ones the middle of the video. */
export const chooseBest = (frames: ReadonlyArray<Looked>, count: number): ReadonlyArray<Looked> => {
  const middle = ((frames[0]?.at ?? 0) + (frames.at(-1)?.at ?? 0)) / 2
  const left = [...frames].sort((a, b) => Math.abs(a.at - middle) - Math.abs(b.at - middle))
  const taken: Array<Looked> = []
  while (taken.length < count && left.length > 0) {
    const worth = left.map((frame) => worthBeside(taken, frame))
    const [best] = left.splice(worth.indexOf(Math.max(...worth)), 1)
    if (best !== undefined) taken.push(best)
  }
  return taken
}
