/**
 * Sending files in parts, straight to the object store. Four parts are on their way at once, the
 * first and the last before the others, because an index lies at one end of most files. Each part
 * is retried alone; what was begun is remembered, so that the same file goes on with what is
 * missing, and asking for a video twice never makes two.
 */
import { signal } from "@preact/signals"
import { ask, backOff } from "./browser.ts"

const LANES = 4
const TRIES = 6
const ROUNDS = 6
const KEPT = "reelog-uploads"
/** The next round finds the part missing. */
const SENT_AGAIN = new Set(["part_missing", "part_differs", "part_hash_differs"])

export type PartState = "waiting" | "sending" | "again" | "done"
export type Phase =
  | "waiting"
  | "starting"
  | "sending"
  | "completing"
  | "paused"
  | "offline"
  | "failed"

interface Part {
  readonly number: number
  readonly offset: number
  readonly length: number
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Rung {
  readonly rung: string
  readonly done: number
  readonly total: number
}

/** What is remembered of an unfinished upload between visits. */
export interface Kept {
  readonly key: string
  readonly name: string
  readonly size: number
  readonly modified: number
  readonly title: string
  readonly videoId?: string
}

export const keptUploads = (): ReadonlyArray<Kept> => {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]") as ReadonlyArray<Kept>
  } catch {
    return []
  }
}
const keep = (kept: Kept) => {
  const others = keptUploads().filter(({ key }) => key !== kept.key)
  localStorage.setItem(KEPT, JSON.stringify([...others, kept]))
}
export const forget = (key: string) =>
  localStorage.setItem(KEPT, JSON.stringify(keptUploads().filter((kept) => kept.key !== key)))

const titleOf = (name: string) => name.replace(/\.[^.]+$/, "").slice(0, 200) || name.slice(0, 200)

export const newUpload = (file: File) => {
  const found = keptUploads().find(
    ({ name, size, modified }) =>
      name === file.name && size === file.size && modified === file.lastModified,
  )
  const kept: Kept = found ?? {
    key: crypto.randomUUID(),
    name: file.name,
    size: file.size,
    modified: file.lastModified,
    title: titleOf(file.name),
  }
  return {
    file,
    kept,
    /** Its first frame, from the file itself. */
    pictureUrl: URL.createObjectURL(file),
    videoId: signal(kept.videoId),
    phase: signal<Phase>("waiting"),
    /** By part number. */
    parts: signal<ReadonlyMap<number, PartState>>(new Map()),
    receivedBytes: signal(0),
    rungs: signal<ReadonlyArray<Rung>>([]),
    reached: signal<"making" | "playable" | "published" | "closed" | "failed">("making"),
    code: signal<string | undefined>(undefined),
    abort: new AbortController(),
    isFollowed: false,
  }
}
export type Upload = ReturnType<typeof newUpload>

const set = (upload: Upload, number: number, state: PartState) => {
  upload.parts.value = new Map(upload.parts.value).set(number, state)
}

class Stopped extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

const hashOf = async (blob: Blob): Promise<string | undefined> => {
  if (!globalThis.isSecureContext) return undefined
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}

const isOnline = async (upload: Upload) => {
  if (navigator.onLine) return
  upload.phase.value = "offline"
  await new Promise((resolve) => addEventListener("online", resolve, { once: true }))
  upload.phase.value = "sending"
}

/** `undefined`: its permission has run out, or it failed too often; the next round asks again. */
const sendPart = async (upload: Upload, part: Part) => {
  const blob = upload.file.slice(part.offset, part.offset + part.length)
  const sha256 = await hashOf(blob)
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    set(upload, part.number, attempt === 0 ? "sending" : "again")
    const { signal: aborted } = upload.abort
    const response = await fetch(part.url, {
      method: "PUT",
      body: blob,
      headers: part.headers,
      signal: aborted,
    }).catch(() => undefined)
    if (aborted.aborted) throw new Stopped("paused")
    const etag = response?.headers.get("etag")
    // 412: these bytes are there already, from a try whose answer was lost.
    if (response?.ok || response?.status === 412) {
      const told = { number: part.number, etag: etag ?? "*" }
      return sha256 === undefined ? told : { ...told, sha256 }
    }
    if (response?.status === 403) return undefined
    await isOnline(upload)
    await backOff(attempt)
  }
  return undefined
}

type Received = NonNullable<Awaited<ReturnType<typeof sendPart>>>

/** Reports what arrived, all that came together at once. */
const reporter = (upload: Upload, lengths: ReadonlyMap<number, number>) => {
  const waiting: Array<Received> = []
  let last: Promise<void> = Promise.resolve()
  const flush = async () => {
    const batch = waiting.splice(0, 500)
    if (batch.length === 0) return
    const path = `/v1/videos/${upload.videoId.value}/parts`
    const { isDone, code } = await ask("POST", path, { parts: batch })
    if (!isDone && !SENT_AGAIN.has(code)) throw new Stopped(code)
    for (const { number } of batch) {
      set(upload, number, isDone ? "done" : "again")
      if (isDone) upload.receivedBytes.value += lengths.get(number) ?? 0
    }
  }
  return {
    add: (received: Received) => {
      waiting.push(received)
      last = last.then(flush)
      return last
    },
  }
}

const firstAndLastFirst = (parts: ReadonlyArray<Part>): Array<Part> => {
  const [first, ...others] = parts
  const last = others.pop()
  return [first, last, ...others].filter((part) => part !== undefined)
}

const sendAll = async (upload: Upload, missing: ReadonlyArray<Part>) => {
  const queue = firstAndLastFirst(missing)
  const report = reporter(upload, new Map(missing.map(({ number, length }) => [number, length])))
  const lane = async () => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      const received = await sendPart(upload, part)
      if (received === undefined) set(upload, part.number, "again")
      else await report.add(received)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

const plan = async (upload: Upload): Promise<ReadonlyArray<Part>> => {
  const { file, kept } = upload
  const known = upload.videoId.value
  const answer =
    known === undefined
      ? await ask(
          "POST",
          "/v1/videos",
          { title: kept.title, fileName: file.name, byteLength: file.size },
          { "idempotency-key": kept.key },
        )
      : await ask("GET", `/v1/videos/${known}/upload`)
  if (!answer.isDone) {
    if (answer.status >= 400 && answer.status < 500) forget(kept.key)
    throw new Stopped(answer.code)
  }
  const { videoId, partCount } = answer.body as { videoId: string; partCount: number }
  const missing = (answer.body.missing ?? answer.body.parts) as ReadonlyArray<Part>
  upload.videoId.value = videoId
  keep({ ...kept, videoId })
  const open = new Set(missing.map(({ number }) => number))
  upload.parts.value = new Map(
    Array.from({ length: partCount }, (_, index) => {
      return [index + 1, open.has(index + 1) ? "waiting" : "done"] as const
    }),
  )
  upload.receivedBytes.value = file.size - missing.reduce((sum, { length }) => sum + length, 0)
  return missing
}

const sendUntilWhole = async (upload: Upload, onBegun: (videoId: string) => void) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const missing = await plan(upload)
    if (round === 0 && upload.videoId.value !== undefined) onBegun(upload.videoId.value)
    if (missing.length === 0) return
    upload.phase.value = "sending"
    await sendAll(upload, missing)
    if ([...upload.parts.value.values()].every((state) => state === "done")) return
  }
  throw new Stopped("upload_incomplete")
}

/** Sends one file until it is whole, paused or refused. */
export const send = async (upload: Upload, onBegun: (videoId: string) => void) => {
  upload.code.value = undefined
  upload.abort = new AbortController()
  upload.phase.value = "starting"
  try {
    await sendUntilWhole(upload, onBegun)
    upload.phase.value = "completing"
    const { isDone, code } = await ask("POST", `/v1/videos/${upload.videoId.value}/complete`, {})
    if (!isDone) throw new Stopped(code)
    forget(upload.kept.key)
  } catch (failure) {
    const code = failure instanceof Stopped ? failure.code : "network"
    const isPaused = code === "paused" && upload.code.value === undefined
    upload.phase.value = isPaused ? "paused" : "failed"
    if (code !== "paused") upload.code.value = code
  }
}

/** Live progress, until nothing more can come. */
export const follow = (upload: Upload, videoId: string) => {
  if (upload.isFollowed) return
  upload.isFollowed = true
  const events = new EventSource(`/v1/videos/${videoId}/events`)
  const on = (name: string, act: (told: Readonly<Record<string, unknown>>) => void) => {
    events.addEventListener(name, ({ data }) => act(JSON.parse(data)))
  }
  on("rendition", (told) => {
    const rung = { rung: String(told.rung), done: Number(told.done), total: Number(told.total) }
    const others = upload.rungs.value.filter((other) => other.rung !== rung.rung)
    const byHeight = (one: Rung, other: Rung) =>
      Number.parseInt(other.rung, 10) - Number.parseInt(one.rung, 10)
    upload.rungs.value = [...others, rung].sort(byHeight)
  })
  on("playable", () => {
    upload.reached.value = "playable"
  })
  on("published", () => {
    upload.reached.value = "published"
    events.close()
  })
  on("failed", ({ code }) => {
    upload.reached.value = "failed"
    upload.code.value = String(code)
    upload.abort.abort()
    forget(upload.kept.key)
    events.close()
  })
  on("taken-down", () => {
    upload.reached.value = "closed"
    events.close()
  })
}
