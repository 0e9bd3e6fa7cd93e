/**
 * The pages, their assets and signing in, as an Elysia app that is mounted beside the API on one
 * port. Pages only read; the session is a cookie that no script sees and no other site sends.
 */
import { Effect } from "effect"
import { Elysia } from "elysia"
import { loadAssets, serveAsset } from "./assets.ts"
import { home } from "./pages/home.tsx"
import { moderation } from "./pages/moderation.tsx"
import { operation } from "./pages/operation.tsx"
import { signInPage } from "./pages/sign-in.tsx"
import { studio } from "./pages/studio.tsx"
import { studioVideo } from "./pages/studio-video.tsx"
import { upload } from "./pages/upload.tsx"
import { watch } from "./pages/watch.tsx"
import type { Reader, ReaderUnavailable } from "./reader.ts"
import { PageNotFound, type Refusal } from "./refusals.ts"
import { html, type Origins, respond } from "./respond.ts"
import type { Visit } from "./visit.ts"
import { languages, localeCookie, PSEUDO, preferred, splitLocale, tongueOf } from "./words.ts"

export const sessionCookie = "reelog-session"

export interface WebDependencies {
  readonly reader: Reader
  readonly origins: Origins
  /** Pages are asked for under https: the cookie says so too. */
  readonly isSecure: boolean
  /** Folder that keeps the bundles between starts. */
  readonly cache?: string
  /** Offers the pseudo language, for tests. */
  readonly hasPseudo?: boolean
}

type Page = Effect.Effect<string, Refusal | ReaderUnavailable>

const cookieOf = (request: Request, name: string): string | undefined => {
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim())
  const found = pairs.find((pair) => pair.startsWith(`${name}=`))
  return found?.slice(name.length + 1)
}

/** The API's paths are told apart: who asks there reads no pages. */
const noRoute = () =>
  Response.json(
    {
      type: "about:blank#not_found",
      title: "There is nothing here",
      status: 404,
      code: "not_found",
    },
    { status: 404, headers: { "content-type": "application/problem+json" } },
  )

const idPattern = /^[a-z][a-z0-9]{2}[0-9a-hjkmnp-tv-z]{16}$/

/** Which page stands at a path. */
const pageAt = (visit: Visit): Page => {
  const [, first = "", id, more] = visit.path.split("/")
  if (more !== undefined || (id !== undefined && !idPattern.test(id))) {
    return Effect.fail(new PageNotFound())
  }
  if (id !== undefined) {
    if (first === "watch") return watch(visit, id)
    return first === "studio" ? studioVideo(visit, id) : Effect.fail(new PageNotFound())
  }
  switch (first) {
    case "":
      return home(visit)
    case "upload":
      return upload(visit)
    case "studio":
      return studio(visit)
    case "moderation":
      return moderation(visit)
    case "operation":
      return operation(visit)
    default:
      return Effect.fail(new PageNotFound())
  }
}

export const web = ({ reader, origins, isSecure, cache, hasPseudo }: WebDependencies) => {
  const built = loadAssets(cache)
  const locales = [...Object.keys(languages), ...(hasPseudo ? [PSEUDO] : [])]
  const protection = `HttpOnly; SameSite=Strict; Path=/${isSecure ? "; Secure" : ""}`

  const visitOf = async (request: Request): Promise<Visit> => {
    const { pathname, searchParams } = new URL(request.url)
    const { locale, path } = splitLocale(pathname, locales)
    const kept = cookieOf(request, localeCookie)
    const wanted =
      locale ??
      (kept !== undefined && locales.includes(kept)
        ? kept
        : preferred(request.headers.get("accept-language"), Object.keys(languages)))
    const token = cookieOf(request, sessionCookie)
    // A page for nobody in particular is better than none: it says itself what is away.
    const session =
      token === undefined
        ? Effect.succeed(null)
        : reader.session(token).pipe(Effect.orElseSucceed(() => null))
    return {
      tongue: tongueOf(wanted),
      locale: wanted,
      session: await Effect.runPromise(session),
      reader,
      assets: await built,
      path: path.length > 1 ? path.replace(/\/$/, "") : path,
      query: searchParams,
      href: (to) => (locale === undefined ? to : `/${locale}${to === "/" ? "" : to}`),
      now: Date.now(),
    }
  }

  const withLanguage = (request: Request, response: Response): Response => {
    const { locale } = splitLocale(new URL(request.url).pathname, Object.keys(languages))
    if (locale === undefined) return response
    response.headers.append(
      "set-cookie",
      `${localeCookie}=${locale}; Path=/; SameSite=Lax; Max-Age=31536000`,
    )
    return response
  }

  const signIn = async (visit: Visit): Promise<Response> => {
    const code = visit.query.get("code")
    if (code === null) return html(origins, signInPage(visit, false))
    const exit = await Effect.runPromiseExit(reader.signIn(code))
    if (exit._tag === "Failure") return await respond(visit, origins, Effect.failCause(exit.cause))
    if (exit.value === null) return html(origins, signInPage(visit, true), { status: 403 })
    const { token, maxAgeSeconds } = exit.value
    const cookie = `${sessionCookie}=${token}; ${protection}; Max-Age=${maxAgeSeconds}`
    return new Response(null, {
      status: 303,
      headers: { location: visit.href("/"), "set-cookie": cookie, "cache-control": "no-store" },
    })
  }

  const signOut = async (request: Request, visit: Visit): Promise<Response> => {
    const token = cookieOf(request, sessionCookie)
    if (token !== undefined) await Effect.runPromise(Effect.ignore(reader.signOut(token)))
    const cookie = `${sessionCookie}=; ${protection}; Max-Age=0`
    return new Response(null, {
      status: 303,
      headers: { location: visit.href("/"), "set-cookie": cookie },
    })
  }

  const answer = async ({ request }: { readonly request: Request }): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith("/assets/")) {
      const name = pathname.slice("/assets/".length)
      const asset = (await built).get(name)
      if (asset !== undefined) return serveAsset(asset, name, request)
    }
    if (pathname === "/v1" || pathname.startsWith("/v1/")) return noRoute()
    const visit = await visitOf(request)
    const response =
      visit.path === "/sign-in" ? await signIn(visit) : await respond(visit, origins, pageAt(visit))
    return withLanguage(request, response)
  }

  const leave = async ({ request }: { readonly request: Request }): Promise<Response> =>
    await signOut(request, await visitOf(request))

  const app = new Elysia({ name: "web" }).get("/", answer).get("/*", answer)
  for (const prefix of ["", ...locales.map((locale) => `/${locale}`)]) {
    app.post(`${prefix}/sign-out`, leave)
  }
  return app
}
