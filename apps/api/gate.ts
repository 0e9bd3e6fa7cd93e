/**
 * What is refused before a route is looked at: strangers who want to write, and bodies that are no
 * JSON or too long. Nothing of a refused body is kept, however it was sent.
 */
import { Effect } from "effect"
import { whoAsks } from "./asker.ts"
import { problemOf } from "./problem.ts"
import type { Run } from "./respond.ts"
import type { ApiServices } from "./services.ts"

const MOST_BODY_BYTES = 2 ** 20
export const MOST_IMAGE_BYTES = 8 * 2 ** 20

interface Asked {
  request: Request
}

const isWrite = ({ method, url }: Request) =>
  !["GET", "HEAD", "OPTIONS"].includes(method) && new URL(url).pathname.startsWith("/v1/")

const isOtherThanJson = ({ headers }: Request) => {
  const type = headers.get("content-type")
  return type !== null && !/^application\/json *(;|$)/i.test(type)
}

const isOfImage = ({ method, url }: Request) =>
  method === "PUT" &&
  /^\/v1\/(videos\/[^/]+\/thumbnail|channels\/[^/]+\/watermark)$/.test(new URL(url).pathname)

/** A pipeline may be written in other ways than JSON, and an image is known by its bytes. */
const refusalOfType = (request: Request) => {
  if (!isOtherThanJson(request) || isOfImage(request)) return undefined
  if (!/^\/v1\/channels\/[^/]+\/pipeline$/.test(new URL(request.url).pathname)) return "NotJson"
  const type = request.headers.get("content-type") ?? ""
  return /^(text\/plain|(application|text)\/(x-)?yaml) *(;|$)/i.test(type)
    ? undefined
    : "NotPipelineText"
}

/** The body of a request that told no length, unless it is too long. */
const wholeBody = async (body: ReadableStream<Uint8Array>, most: number) => {
  const pieces: Array<Uint8Array> = []
  let byteLength = 0
  for await (const piece of body) {
    byteLength += piece.byteLength
    if (byteLength > most) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** Answers what may not come in. */
export const gate =
  (run: Run<ApiServices>) =>
  async (asked: Asked): Promise<Response | undefined> => {
    const { request } = asked
    if (!isWrite(request)) return undefined
    const who = await run(Effect.orDie(whoAsks(request)))
    if (who._tag === "Failure") return problemOf({ _tag: "Unexpected" })
    if (who.value === undefined) return problemOf({ _tag: "Unauthorized" })
    if (request.body === null) return undefined
    const refusal = refusalOfType(request)
    if (refusal !== undefined) return problemOf({ _tag: refusal })
    const most = isOfImage(request) ? MOST_IMAGE_BYTES : MOST_BODY_BYTES
    const tooLarge = isOfImage(request) ? "ImageTooLarge" : "BodyTooLarge"
    const told = request.headers.get("content-length")
    if (told !== null) {
      return Number(told) > most ? problemOf({ _tag: tooLarge }) : undefined
    }
    const body = await wholeBody(request.body, most)
    if (body === undefined) return problemOf({ _tag: tooLarge })
    asked.request = new Request(request, { body })
    return undefined
  }
