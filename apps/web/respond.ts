/** From a page to an HTTP answer: the refusals' own pages, and the headers that keep a page to itself. */
import { Cause, Effect, Exit } from "effect"
import { broken, closed, notFound, unavailable } from "./pages/refused.tsx"
import type { ReaderUnavailable } from "./reader.ts"
import type { Refusal } from "./refusals.ts"
import type { Visit } from "./visit.ts"

export interface Origins {
  /** Where manifests, segments and pictures come from. */
  readonly edge: string
  /** Where parts are PUT. */
  readonly objectStore: string
}

/** media-chrome writes its styles into shadow roots: only pages with a player allow that. */
const policy = ({ edge, objectStore }: Origins, hasPlayer: boolean): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self'${hasPlayer ? " 'unsafe-inline'" : ""}`,
    `img-src 'self' data: ${edge}`,
    `media-src 'self' blob: ${edge}`,
    `connect-src 'self' ${edge} ${objectStore}`,
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ")

interface Told {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

export const html = (origins: Origins, body: string, { status = 200, headers }: Told = {}) =>
  new Response(body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "private, no-cache",
      "content-security-policy": policy(origins, body.includes("<media-controller")),
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "same-origin",
      vary: "Accept-Language, Cookie",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  })

type Page = Effect.Effect<string, Refusal | ReaderUnavailable>

const refuse = (
  visit: Visit,
  origins: Origins,
  failure: Refusal | ReaderUnavailable,
): Effect.Effect<Response, ReaderUnavailable> => {
  switch (failure._tag) {
    case "PageNotFound":
      return Effect.succeed(html(origins, notFound(visit), { status: 404 }))
    case "SignInFirst": {
      const location = visit.href("/sign-in")
      return Effect.succeed(new Response(null, { status: 303, headers: { location } }))
    }
    case "VideoIsClosed":
      return closed(visit, failure.videoId).pipe(
        Effect.map((body) => html(origins, body, { status: 451 })),
      )
    case "ReaderUnavailable":
      return Effect.fail(failure)
  }
}

export const respond = async (visit: Visit, origins: Origins, page: Page): Promise<Response> => {
  const answered = page.pipe(
    Effect.map((body) => html(origins, body)),
    Effect.catch((failure) => refuse(visit, origins, failure)),
    Effect.tapError(({ cause }) => Effect.logWarning("the pages can't read", String(cause))),
    Effect.tapDefect((defect) => Effect.logError("a page could not be made", defect)),
  )
  const exit = await Effect.runPromiseExit(answered)
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasDies(exit.cause)) return html(origins, broken(visit), { status: 500 })
  return html(origins, unavailable(visit), {
    status: 503,
    headers: { "retry-after": "5", refresh: "30" },
  })
}
