/**
 * A platform small enough to see through, for tests: it takes parts into memory, checks what is
 * reported, tells events as they are put in, and fails where it is told to.
 */
import { Effect } from "effect"

interface Part {
  readonly number: number
  readonly offset: number
  readonly length: number
}

interface Uploading {
  readonly videoId: string
  readonly title: string
  readonly byteLength: number
  readonly parts: ReadonlyArray<Part>
  readonly bodies: Map<number, Uint8Array>
  readonly received: Set<number>
  state: "receiving" | "completed"
}

interface Report {
  readonly number: number
  readonly etag: string
  readonly sha256: string
}

const PROBLEM = { headers: { "content-type": "application/problem+json" } }
const refuse = (status: number, code: string) =>
  Response.json({ title: "No", status, code }, { status, ...PROBLEM })

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex")

export const fakePlatform = () => {
  const uploads = new Map<string, Uploading>()
  const byKey = new Map<string, string>()
  const puts: Array<number> = []
  const reports: Array<ReadonlyArray<number>> = []
  const events: Array<string> = []
  const readers = new Set<ReadableStreamDefaultController<string>>()
  const watchers = new Set<() => void>()
  const changed = () => {
    for (const look of [...watchers]) look()
  }

  /** Looked at again whenever a request was answered, or the test says that something changed. */
  const until = (isSo: () => boolean) =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (!isSo()) return
        watchers.delete(look)
        resume(Effect.void)
      }
      watchers.add(look)
      look()
      return Effect.sync(() => watchers.delete(look))
    }).pipe(Effect.timeout("5 seconds"))
  /** Answers this to the next PUTs or requests instead of taking them. */
  const trouble = {
    puts: [] as Array<number>,
    requests: [] as Array<number>,
    create: undefined as Response | undefined,
    /** A PUT of this part never ends. */
    stuckPart: 0,
    /** Another byte arrives than was sent, once. */
    damagedPart: 0,
  }
  const verified: Array<unknown> = [{ check: "log", looked: 3, problems: [], ok: true }]
  let state = "uploading"
  let pipeline: string | undefined
  let watermark: unknown = null

  const tell = (event: string, told: unknown = {}) => {
    const text = `id: ${events.length + 1}\nevent: ${event}\ndata: ${JSON.stringify(told)}\n\n`
    events.push(text)
    if (event === "playable" || event === "published" || event === "failed") state = event
    for (const reader of readers) reader.enqueue(text)
  }

  const withUrls = (upload: Uploading, parts: ReadonlyArray<Part>, origin: string) =>
    parts.map((part) => ({
      ...part,
      url: `${origin}/s3/${upload.videoId}/${part.number}`,
      headers: { "if-none-match": "*" },
    }))

  const shown = ({ videoId, title }: Uploading) => ({
    videoId,
    state,
    title,
    watchUrl: `http://web/watch/${videoId}`,
    hlsUrl: `http://edge/v/${videoId}/main.m3u8`,
    dashUrl: `http://edge/v/${videoId}/manifest.mpd`,
    revision: 1,
  })

  const create = async (request: Request, origin: string) => {
    if (trouble.create !== undefined) return trouble.create.clone()
    const key = request.headers.get("idempotency-key") ?? ""
    const form = (await request.json()) as Uploading
    const videoId = byKey.get(key) ?? `loc00000000000000${String(uploads.size).padStart(2, "0")}`
    const known = uploads.get(videoId) ?? {
      ...form,
      videoId,
      parts: form.parts.map((part, index) => ({ ...part, number: index + 1 })),
      bodies: new Map(),
      received: new Set(),
      state: "receiving",
    }
    byKey.set(key, videoId)
    uploads.set(videoId, known)
    return Response.json({ videoId, parts: withUrls(known, known.parts, origin) }, { status: 201 })
  }

  const put = async (request: Request, upload: Uploading, number: number) => {
    puts.push(number)
    if (number === trouble.stuckPart) return new Promise<Response>(() => undefined)
    const status = trouble.puts.shift()
    if (status !== undefined) return new Response(null, { status })
    if (upload.bodies.has(number)) return new Response(null, { status: 412 })
    const body = new Uint8Array(await request.arrayBuffer())
    if (number === trouble.damagedPart) {
      trouble.damagedPart = 0
      body[0] = (body[0] ?? 0) ^ 1
    }
    upload.bodies.set(number, body)
    return new Response(null, { headers: { etag: `"${sha256(body).slice(0, 8)}"` } })
  }

  const receive = async (request: Request, upload: Uploading) => {
    const { parts } = (await request.json()) as { readonly parts: ReadonlyArray<Report> }
    for (const { number, etag, sha256: told } of parts) {
      const body = upload.bodies.get(number)
      if (body === undefined) return refuse(409, "part_missing")
      if (etag !== "*" && etag !== `"${sha256(body).slice(0, 8)}"`)
        return refuse(409, "part_differs")
      if (told !== sha256(body)) {
        upload.bodies.delete(number)
        return refuse(409, "part_hash_differs")
      }
      upload.received.add(number)
    }
    reports.push(parts.map(({ number }) => number))
    return Response.json({ received: parts.length })
  }

  const follow = (request: Request) => {
    const after = Number(request.headers.get("last-event-id") ?? 0)
    let own: ReadableStreamDefaultController<string> | undefined
    const body = new ReadableStream<string>({
      start: (controller) => {
        own = controller
        readers.add(controller)
        for (const text of events.slice(after)) controller.enqueue(text)
      },
      cancel: () => {
        if (own !== undefined) readers.delete(own)
      },
    })
    const bytes = body.pipeThrough(new TextEncoderStream())
    return new Response(bytes, { headers: { "content-type": "text/event-stream" } })
  }

  /** It knows one mistake: a type that is misspelt. */
  const choosePipeline = async (request: Request) => {
    if (request.method === "PUT") pipeline = await request.text()
    if (request.method === "DELETE") pipeline = undefined
    if (pipeline?.includes("'Downlaod'")) {
      const mistakes = ["one mistake", "another mistake"]
      const told = { title: "No", status: 422, code: "pipeline_mistaken", mistakes }
      return Response.json(told, { status: 422, ...PROBLEM })
    }
    const steps = [
      { name: "get", type: "Download", after: [] },
      { name: "all", type: "Transcode", after: ["get"] },
    ]
    const isOwn = pipeline !== undefined
    const text = pipeline ?? "pipeline: default"
    return Response.json({ channelId: "main", pipeline: "own", isOwn, steps, mistakes: [], text })
  }

  const chooseWatermark = async (request: Request) => {
    const { searchParams } = new URL(request.url)
    const isText = request.headers.get("content-type") === "application/json"
    if (request.method === "DELETE") watermark = null
    if (request.method === "PUT") {
      const body = isText ? await request.json() : { bytes: (await request.bytes()).length }
      const told = { ...body, ...Object.fromEntries(searchParams) }
      watermark = { kind: isText ? "text" : "image", state: "processing", ...told }
    }
    return Response.json({ channelId: "main", watermark })
  }

  const route = async (request: Request): Promise<Response> => {
    const { pathname, origin } = new URL(request.url)
    const [, top, , id = "", what = ""] = pathname.split("/")
    if (top === "s3") {
      const [, , videoId = "", number] = pathname.split("/")
      const upload = uploads.get(videoId)
      return upload ? put(request, upload, Number(number)) : new Response(null, { status: 404 })
    }
    if (request.headers.get("authorization") !== "Bearer token") return refuse(401, "unauthorized")
    const status = trouble.requests.shift()
    if (status !== undefined) return refuse(status, "event_store_unavailable")
    if (pathname === "/v1/operations/verify") {
      return new Response(verified.map((line) => `${JSON.stringify(line)}\n`).join(""))
    }
    if (pathname === "/v1/channels/main/watermark") return chooseWatermark(request)
    if (pathname === "/v1/channels/main/pipeline") return choosePipeline(request)
    if (pathname === "/v1/videos") return create(request, origin)
    const upload = uploads.get(id)
    if (upload === undefined) return refuse(404, "video_not_found")
    switch (`${request.method} ${what}`) {
      case "POST parts":
        return receive(request, upload)
      case "GET upload": {
        const missing = upload.parts.filter(({ number }) => !upload.received.has(number))
        return Response.json({ state: upload.state, missing: withUrls(upload, missing, origin) })
      }
      case "POST complete": {
        if (upload.received.size !== upload.parts.length) return refuse(409, "upload_incomplete")
        upload.state = "completed"
        if (state === "uploading") state = "processing"
        return Response.json({}, { headers: { "reelog-position": "77" } })
      }
      case "GET events":
        return follow(request)
      case "GET ":
        return Response.json(shown(upload))
      case "GET history":
        return Response.json({
          videoId: id,
          events: ["VideoCreated", "VideoPublished"].map((type, revision) => ({
            position: String(revision + 1),
            stream: `video-${id}`,
            revision,
            type,
            data: {},
          })),
        })
      case "POST renditions":
        return Response.json({ videoId: id, state: "requested" }, { status: 202 })
      case "POST takedown":
        return Response.json({ videoId: id, state: "taken-down", ...(await request.json()) })
      default:
        return refuse(404, "not_found")
    }
  }

  const fetch = async (request: Request) => {
    const answer = await route(request)
    changed()
    return answer
  }

  const start = Effect.acquireRelease(
    Effect.sync(() => Bun.serve({ hostname: "127.0.0.1", port: 0, idleTimeout: 0, fetch })),
    (server) => Effect.promise(() => server.stop(true)),
  ).pipe(Effect.map(({ url }) => url.origin))

  /** Connections of followers end, as when the server restarts. */
  const hangUp = () => {
    for (const reader of readers) reader.close()
    readers.clear()
  }

  return { start, until, changed, tell, hangUp, verified, uploads, puts, reports, trouble }
}
