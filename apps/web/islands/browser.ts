/** What every island needs: the sentences sent with the page, and one way to ask the API. */
import { makeTongue, type Tongue } from "../tongue.ts"

interface Sent {
  readonly locale: string
  readonly dir: "ltr" | "rtl"
  readonly messages: Readonly<Record<string, string>>
}

const none: Sent = { locale: "en", dir: "ltr", messages: {} }

const readWords = (): { readonly sent: Sent; readonly tongue: Tongue } => {
  const text = document.getElementById("words")?.textContent
  const sent = text ? (JSON.parse(text) as Sent) : none
  return { sent, tongue: makeTongue(sent.locale, sent.dir, sent.messages) }
}

const { sent, tongue } = readWords()

export { tongue }

/** A stable code as a sentence. */
export const errorText = (code: string): string => {
  const key = `error.${code}` as "error.unknown"
  return key in sent.messages ? tongue.t(key) : tongue.t("error.unknown", { code })
}

export interface Answered {
  readonly isDone: boolean
  readonly status: number
  /** Of the problem; `network` when nobody answered. */
  readonly code: string
  readonly body: Readonly<Record<string, unknown>>
  /** The log position of what was recorded. */
  readonly position: string | null
  readonly etag: string | null
}

const TRIES = 4
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
/** Longer each time, and never in step with others. */
export const backOff = (attempt: number) => pause(400 * 2 ** attempt * (0.5 + Math.random()))

const answered = async (response: Response): Promise<Answered> => {
  const text = await response.text()
  const isJson = (response.headers.get("content-type") ?? "").includes("json")
  const body = (isJson && text !== "" ? JSON.parse(text) : {}) as Record<string, unknown>
  return {
    isDone: response.ok,
    status: response.status,
    code: typeof body.code === "string" ? body.code : `http_${response.status}`,
    body,
    position: response.headers.get("reelog-position"),
    etag: response.headers.get("etag"),
  }
}

/** Asks once, in the end: a repetition after a lost answer carries the same key. */
export const ask = async (
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> => {
  const key = crypto.randomUUID()
  const request: RequestInit = {
    method,
    credentials: "same-origin",
    headers: {
      accept: "application/json",
      ...(method === "GET" ? {} : { "idempotency-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
  let last: Answered | undefined
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (attempt > 0) await backOff(attempt)
    const response = await fetch(path, request).catch(() => undefined)
    if (response === undefined) continue
    last = await answered(response)
    if (last.status !== 503) return last
  }
  return last ?? { isDone: false, status: 0, code: "network", body: {}, position: null, etag: null }
}
