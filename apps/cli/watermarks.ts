/** A channel's watermark: a text or an image, where it lies, and none any more. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { Effect, Option, Result } from "effect"
import { type AnyObject, Api, type WatermarkChange } from "./api.ts"
import { problem } from "./problem.ts"
import { Screen } from "./screen.ts"

/** As it was written on the command line. */
interface Placement {
  readonly corner: Option.Option<string>
  readonly opacity: Option.Option<string>
  readonly size: Option.Option<string>
  readonly margin: Option.Option<string>
}

const given = ({ corner, opacity, size, margin }: Placement): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({ corner, opacity, size, margin }).flatMap(([name, value]) =>
      Option.isSome(value) ? [[name, value.value]] : [],
    ),
  )

const share = (word: unknown) => `${Math.round(Number(word) * 1000) / 10} %`

const textOf = ({ channelId, watermark }: AnyObject) => {
  if (watermark === null || typeof watermark !== "object")
    return `channel ${channelId}: no watermark`
  const { kind, corner, opacity, size, margin, state, code } = watermark as AnyObject
  const where = `${corner}, ${share(size)} tall, ${share(margin)} from the edges, ${share(opacity)} opaque`
  return `channel ${channelId}: ${kind} ${state}${code === undefined ? "" : ` (${code})`}: ${where}`
}

const told = Effect.fnUntraced(function* (channelId: string, change?: WatermarkChange) {
  const api = yield* Api
  const screen = yield* Screen
  const answer = yield* api.watermark(channelId, change)
  yield* screen.result(answer, textOf(answer))
})

export const showWatermark = Effect.fn("showWatermark")((channelId: string) => told(channelId))

export const removeWatermark = Effect.fn("removeWatermark")((channelId: string) =>
  told(channelId, { method: "DELETE" }),
)

export const textWatermark = Effect.fn("textWatermark")(function* (
  channelId: string,
  text: string,
  placement: Placement,
) {
  const { corner, ...shares } = given(placement)
  const numbers = Object.entries(shares).map(([name, word]) => [name, Number(word)])
  const body = { text, ...(corner !== undefined && { corner }), ...Object.fromEntries(numbers) }
  yield* told(channelId, { method: "PUT", body })
})

export const imageWatermark = Effect.fn("imageWatermark")(function* (
  channelId: string,
  file: string,
  placement: Placement,
) {
  const path = resolve(file)
  const bytes = Result.try(() => new Uint8Array(readFileSync(path)))
  if (Result.isFailure(bytes)) {
    return yield* problem("file_not_found", `The file ${path} can't be read`)
  }
  yield* told(channelId, { method: "PUT", bytes: bytes.success, query: given(placement) })
})
