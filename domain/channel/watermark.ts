/**
 * The mark that a channel's videos carry in a corner: an image, or a text such as the owner's name.
 * What is wished is shown once a worker has made a picture of it; until then, and where none can be
 * made, the mark before it stays. Sizes are shares of the picture's shorter side, so that a mark is
 * at the same place on every rung.
 */
import { Schema } from "effect"

const share = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum }))

export const Corner = Schema.Literals(["top-left", "top-right", "bottom-left", "bottom-right"])

export const Placement = Schema.Struct({
  corner: Corner,
  /** 1: nothing shines through. */
  opacity: share(0.05, 1),
  /** Height of the mark. */
  size: share(0.01, 0.5),
  /** Between the mark and the edges. */
  margin: share(0, 0.25),
})
export type Placement = typeof Placement.Type

export const usualPlacement: Placement = {
  ...{ corner: "bottom-right", opacity: 0.7, size: 0.08, margin: 0.03 },
}

/** Made of the bytes of an image, or of a text. */
export const MarkId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/))
export const MarkKind = Schema.Literals(["image", "text"])
export type MarkKind = typeof MarkKind.Type

export const Wish = Schema.Struct({ mark: MarkId, kind: MarkKind, ...Placement.fields })
export type Wish = typeof Wish.Type

/** A PNG of pixels alone, which shines through where the mark is not. */
export const MarkImage = Schema.Struct({
  key: Schema.String,
  bytes: Schema.Int,
  sha256: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
})
export type MarkImage = typeof MarkImage.Type

/** What a video is made with. */
export const Watermark = Schema.Struct({ image: MarkImage, ...Placement.fields })
export type Watermark = typeof Watermark.Type

export type WatermarkEvent =
  | { readonly _tag: "WatermarkSet"; readonly watermark: Wish | null }
  | { readonly _tag: "WatermarkMade"; readonly mark: string; readonly image: MarkImage }
  | { readonly _tag: "WatermarkRefused"; readonly mark: string; readonly code: string }

export interface Marks {
  readonly wish: Wish | null
  /** Why there is no picture of what is wished. */
  readonly refused: string | null
  readonly shown: { readonly mark: string; readonly watermark: Watermark } | null
}

export const noMarks: Marks = { wish: null, refused: null, shown: null }

const placed = ({ mark, kind: _, ...placement }: Wish, image: MarkImage) => ({
  mark,
  watermark: { image, ...placement },
})

export const evolveMarks = (marks: Marks, event: WatermarkEvent): Marks => {
  switch (event._tag) {
    case "WatermarkSet": {
      const { watermark: wish } = event
      if (wish === null) return noMarks
      const { shown } = marks
      // Moved, not changed: there is a picture of it already.
      const isMade = shown !== null && shown.mark === wish.mark
      return { wish, refused: null, shown: isMade ? placed(wish, shown.watermark.image) : shown }
    }
    case "WatermarkMade": {
      const { wish } = marks
      if (wish === null || wish.mark !== event.mark) return marks
      return { wish, refused: null, shown: placed(wish, event.image) }
    }
    case "WatermarkRefused":
      return marks.wish?.mark === event.mark ? { ...marks, refused: event.code } : marks
  }
}

export const isWaiting = ({ wish, refused, shown }: Marks) =>
  wish !== null && refused === null && shown?.mark !== wish.mark

interface Size {
  readonly width: number
  readonly height: number
}

export interface Box extends Size {
  readonly x: number
  readonly y: number
}

const WIDEST = 0.5
const even = (length: number) => Math.max(2, Math.round(length / 2) * 2)

/** Where a mark lies in a picture. All even, as colours are stored for four pixels at once. */
export const boxOf = ({ image, corner, size, margin }: Watermark, canvas: Size): Box => {
  const shorter = Math.min(canvas.width, canvas.height)
  const tall = size * shorter
  const wide = (tall * image.width) / image.height
  const shrunk = Math.min(1, (WIDEST * canvas.width) / wide)
  const width = Math.min(even(wide * shrunk), canvas.width)
  const height = Math.min(even(tall * shrunk), canvas.height)
  const fromEdge = Math.round((margin * shorter) / 2) * 2
  const [vertical, horizontal] = corner.split("-")
  const along = (isFar: boolean, all: number, own: number) =>
    Math.max(0, Math.min(all - own, isFar ? all - own - fromEdge : fromEdge))
  return {
    x: along(horizontal === "right", canvas.width, width),
    y: along(vertical === "bottom", canvas.height, height),
    width,
    height,
  }
}
