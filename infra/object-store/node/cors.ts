/** What pages of other origins may do: PUT parts by pre-signed URL, and read the ETag of the answer. */

const METHODS = "GET, HEAD, PUT"
const REQUEST_HEADERS = "content-type, if-match, if-none-match, range, x-amz-checksum-sha256"
const RESPONSE_HEADERS = "ETag, Content-Length, Content-Range, x-amz-checksum-sha256"

export interface Cors {
  /** Adds to an answer what lets the page read it, also when it is a refusal. */
  readonly decorate: (request: Request, response: Response) => Response
  readonly preflight: (request: Request) => Response
}

export const corsFor = (origins: ReadonlyArray<string>): Cors => {
  const allowed = new Set(origins)
  const isAllowed = (origin: string | null): origin is string =>
    origin !== null && (allowed.has("*") || allowed.has(origin))

  return {
    decorate: (request, response) => {
      const origin = request.headers.get("origin")
      if (!isAllowed(origin)) return response
      response.headers.set("access-control-allow-origin", origin)
      response.headers.set("access-control-expose-headers", RESPONSE_HEADERS)
      response.headers.append("vary", "Origin")
      return response
    },
    preflight: (request) => {
      const origin = request.headers.get("origin")
      const method = request.headers.get("access-control-request-method")
      if (!isAllowed(origin) || !method || !METHODS.split(", ").includes(method)) {
        return new Response(null, { status: 403, headers: { vary: "Origin" } })
      }
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-origin": origin,
          "access-control-allow-methods": METHODS,
          "access-control-allow-headers": REQUEST_HEADERS,
          "access-control-max-age": "3600",
          vary: "Origin",
        },
      })
    },
  }
}
