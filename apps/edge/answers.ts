/**
 * The headers, ranges and problems of the video server.
 *
 * A takedown must hold where we are not asked again, so caching is a matter of who keeps:
 * - lists and images: kept by anyone, asked for again each time (`no-cache`, answered 304). A page
 *   that reloads meets the closed door here, and without its lists no segment is found;
 * - segments in a shared cache: bytes kept, the door asked for again after a second (`s-maxage=1`);
 *   the answer while it is open is a 304 without a body;
 * - segments in a browser: an hour, enough to seek in what was seen, and no year of it: a copy
 *   ends soon after the video does, and another run of the transcode takes over these URLs.
 */

export const KEEP_AND_ASK = "no-cache"
export const KEEP_SEGMENT = "public, max-age=3600, s-maxage=1, immutable"

const everywhere = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers":
    "accept-ranges, content-disposition, content-length, content-range, etag, retry-after",
  "cross-origin-resource-policy": "cross-origin",
  "timing-allow-origin": "*",
  "x-content-type-options": "nosniff",
} as const

export const preflight = (): Response =>
  new Response(null, {
    status: 204,
    headers: {
      ...everywhere,
      "access-control-allow-methods": "GET, HEAD, OPTIONS",
      "access-control-allow-headers": "range, if-none-match, if-range",
      "access-control-max-age": "86400",
    },
  })

// Problems

const problems = {
  bad_path: [404, "There is nothing here"],
  video_not_found: [404, "There is no such video"],
  video_not_ready: [404, "The video can't be watched yet"],
  video_failed: [404, "The video could not be made watchable"],
  media_not_found: [404, "The video has no such rendition, segment or image"],
  method_not_allowed: [405, "Only GET, HEAD and OPTIONS"],
  video_taken_down: [451, "The video has been taken down"],
  event_store_unavailable: [503, "The log can't be reached"],
  object_store_unavailable: [503, "The object store can't be reached"],
  unexpected: [500, "Something went wrong here"],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemCode = keyof typeof problems

export const problem = (
  code: ProblemCode,
  fields: Readonly<Record<string, string>> = {},
): Response => {
  const [status, title] = problems[code]
  const headers = new Headers({
    ...everywhere,
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  })
  if (status === 503) headers.set("retry-after", "1")
  if (status === 405) headers.set("allow", "GET, HEAD, OPTIONS")
  const body = { type: `about:blank#${code}`, title, status, code, ...fields }
  return new Response(JSON.stringify(body), { status, headers })
}

// Ranges

export interface Range {
  readonly from: number
  readonly to: number
}

/** One range, half-open; `null` for none, or one we don't serve apart (several, other units): then all is sent. */
export const rangeOf = (
  header: string | null,
  byteLength: number,
): Range | "unsatisfiable" | null => {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? []
  if (first === undefined || last === undefined || (first === "" && last === "")) return null
  if (first === "") {
    const from = Math.max(0, byteLength - Number(last))
    return from < byteLength ? { from, to: byteLength } : "unsatisfiable"
  }
  const from = Number(first)
  if (last !== "" && Number(last) < from) return null
  if (from >= byteLength) return "unsatisfiable"
  return { from, to: last === "" ? byteLength : Math.min(byteLength, Number(last) + 1) }
}

// Bodies

export interface Served {
  readonly body:
    | Blob
    | Uint8Array<ArrayBuffer>
    | string
    | ((range: Range) => ReadableStream<Uint8Array>)
  readonly byteLength: number
  readonly etag: string
  readonly contentType: string
  readonly cacheControl: string
  /** None: shown where it is. */
  readonly disposition?: string
}

const isKnown = (request: Request, etag: string) => {
  const known = request.headers.get("if-none-match")
  if (known === null) return false
  return known === "*" || known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)
}

export const serve = (request: Request, served: Served): Response => {
  const { body, byteLength, etag, contentType, cacheControl, disposition = "inline" } = served
  const headers: Record<string, string> = {
    ...everywhere,
    "content-type": contentType,
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
    "content-disposition": disposition,
    etag,
  }
  if (isKnown(request, etag)) return new Response(null, { status: 304, headers })

  const condition = request.headers.get("if-range")
  const range =
    condition === null || condition === etag
      ? rangeOf(request.headers.get("range"), byteLength)
      : null
  if (range === "unsatisfiable") {
    headers["content-range"] = `bytes */${byteLength}`
    return new Response(null, { status: 416, headers })
  }
  const { from, to } = range ?? { from: 0, to: byteLength }
  if (range !== null) headers["content-range"] = `bytes ${from}-${to - 1}/${byteLength}`
  const status = range === null ? 200 : 206
  if (request.method === "HEAD") {
    headers["content-length"] = String(to - from)
    return new Response(null, { status, headers })
  }
  if (typeof body === "function") return new Response(body({ from, to }), { status, headers })
  return new Response(range === null ? body : body.slice(from, to), { status, headers })
}

const contentTypes: Readonly<Record<string, string>> = {
  m3u8: "application/vnd.apple.mpegurl",
  mpd: "application/dash+xml",
  json: "application/json",
  vtt: "text/vtt; charset=utf-8",
  jpg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
}

export const contentTypeOf = (key: string): string => {
  const kind = contentTypes[key.slice(key.lastIndexOf(".") + 1)]
  return kind ?? (/\/audio(-[^/]*)?\/[^/]*$/.test(key) ? "audio/mp4" : "video/mp4")
}
