/** Asking a platform over HTTP in tests, as its owner or as a stranger; every answer is kept. */
import type { TestPlatform } from "./testing.ts"

interface Part {
  readonly number: number
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}
interface Told {
  readonly code?: string
  readonly videoId: string
  readonly parts: ReadonlyArray<Part>
  readonly missing: ReadonlyArray<Part>
}
interface Answered {
  readonly asked: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Told
}

export const json = { "content-type": "application/json" }
export const film = { title: "A film", fileName: "film.mp4", byteLength: 300 }
export const codeOf = ({ status, body }: Answered) => [status, body.code]

type Fields = Readonly<Record<string, string>>

export const askingOf = (here: () => TestPlatform) => {
  const answers: Array<Answered> = []

  /** A path, or the URL of another server. */
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Answered> => {
    const url = path.startsWith("http") ? path : `${here().url}${path}`
    const response = await fetch(url, { ...init, method, redirect: "manual" })
    const text = await response.text()
    const isJson = /json$/.test(response.headers.get("content-type") ?? "")
    const answered = {
      asked: `${method} ${path.slice(0, 200)}`,
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as Told,
    }
    answers.push(answered)
    return answered
  }
  const asOwner = (headers: Fields = {}) => ({
    authorization: `Bearer ${here().token}`,
    ...json,
    ...headers,
  })
  const send = (method: string, path: string, body: unknown, headers: Fields = {}) =>
    ask(method, path, { body: JSON.stringify(body), headers: asOwner(headers) })

  return {
    here,
    answers,
    ask,
    asOwner,
    send,
    created: async (more: object = {}) =>
      (await send("POST", "/v1/videos", { ...film, ...more })).body,
    put: (url: string | undefined, bytes: Uint8Array<ArrayBuffer>) =>
      ask("PUT", url ?? "", { body: bytes, headers: { "if-none-match": "*" } }),
  }
}

export type Asking = ReturnType<typeof askingOf>
