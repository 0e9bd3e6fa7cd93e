/**
 * S3 over HTTP: which request means what. A request is authorized before anything is looked up,
 * and one that asks for a feature the store lacks is refused, never taken for a simpler one.
 */
import { type Asked, isAskedFor, readRequest } from "./asked.ts"
import { authorizer, type Credentials, type Permission } from "./authorize.ts"
import { openBlobs } from "./blobs.ts"
import { openCatalogue } from "./catalogue.ts"
import { corsFor } from "./cors.ts"
import { list, removeMany } from "./listing.ts"
import { abort, begin, complete, listParts, putPart } from "./multipart.ts"
import { copy, get, put, remove, type Store } from "./objects.ts"
import { MAX_OBJECT_BYTES, receive, refuseEarly } from "./receive.ts"
import { type Refusal, refuse } from "./refusal.ts"
import { escapeXml, xml } from "./xml.ts"

export interface ServerSettings {
  readonly hostname: string
  readonly port: number
  readonly folder: string
  readonly bucket: string
  readonly credentials: Credentials
  readonly corsOrigins: ReadonlyArray<string>
  readonly onFailure: (cause: unknown) => void
}

type Answer = Response | Refusal | Promise<Response | Refusal>

/** Seconds without a byte; an upload over a slow line pauses longer than Bun's ten. */
const IDLE_SECONDS = 120
const MAX_REQUESTS = 1_024
const STOP_CHECK_MILLIS = 10
const MAX_XML_BYTES = 2 << 20

const KNOWN_PARAMETERS =
  /^(x-amz-.+|x-id|response-.+|uploads|uploadid|partnumber|part-number-marker|max-parts|delete|list-type|prefix|delimiter|max-keys|continuation-token|start-after|encoding-type|fetch-owner|location)$/i

const isUnknown = ({ query }: Asked) => query.some(([name]) => !KNOWN_PARAMETERS.test(name))

/** A small body, verified like any other. */
const withBody = async (
  { blobs }: Store,
  asked: Asked,
  permission: Permission,
  use: (body: string) => Promise<Response | Refusal>,
): Promise<Response | Refusal> => {
  const early = refuseEarly(asked, permission)
  if (early) return early
  if (Number(asked.headers.get("content-length") ?? 0) > MAX_XML_BYTES) return "EntityTooLarge"
  const received = await receive(blobs, asked, permission)
  if (typeof received === "string") return received
  const body = await Bun.file(blobs.temp(received.blob)).text()
  await blobs.abandon(received.blob)
  return use(body)
}

const onBucket = (store: Store, asked: Asked, permission: Permission): Answer => {
  switch (asked.method) {
    case "HEAD":
    case "PUT":
      return new Response(null, { status: 200 })
    case "GET":
      return isAskedFor(asked, "location")
        ? xml(`<LocationConstraint>${escapeXml(permission.scope.region)}</LocationConstraint>`)
        : list(store, asked)
    case "POST":
      if (!isAskedFor(asked, "delete")) return "NotImplemented"
      return withBody(store, asked, permission, (body) => removeMany(store, asked, body))
    default:
      return "MethodNotAllowed"
  }
}

const onObject = (store: Store, asked: Asked, permission: Permission): Answer => {
  const isOfUpload = isAskedFor(asked, "uploadId")
  switch (asked.method) {
    case "HEAD":
      return get(store, asked)
    case "GET":
      return isOfUpload ? listParts(store, asked) : get(store, asked)
    case "PUT":
      if (asked.headers.has("x-amz-copy-source")) {
        return isOfUpload ? "NotImplemented" : copy(store, asked)
      }
      return isOfUpload ? putPart(store, asked, permission) : put(store, asked, permission)
    case "DELETE":
      if (isOfUpload) return abort(store, asked)
      return remove(store, asked.bucket, [asked.key]).then(
        () => new Response(null, { status: 204 }),
      )
    case "POST":
      if (isAskedFor(asked, "uploads")) return begin(store, asked)
      if (!isOfUpload) return "NotImplemented"
      return withBody(store, asked, permission, (body) => complete(store, asked, body))
    default:
      return "MethodNotAllowed"
  }
}

/** Opens the folder and listens; what it returns stops both. */
export const serve = (settings: ServerSettings) => {
  const catalogue = openCatalogue(settings.folder)
  const blobs = openBlobs(settings.folder)
  const store: Store = { blobs, catalogue }
  const authorize = authorizer(settings.credentials)
  const cors = corsFor(settings.corsOrigins)
  let requests = 0
  let isStopping = false

  const answer = (asked: Asked): Answer => {
    const permission = authorize(asked, Date.now())
    if (typeof permission === "string") return permission
    if (asked.bucket !== settings.bucket) return "NoSuchBucket"
    if (isUnknown(asked)) return "NotImplemented"
    return asked.key === ""
      ? onBucket(store, asked, permission)
      : onObject(store, asked, permission)
  }

  const respond = async (request: Request): Promise<Response> => {
    if (request.method === "OPTIONS") return cors.preflight(request)
    const asked = readRequest(request)
    if (!asked) return refuse("InvalidURI", "")
    if (isStopping || requests >= MAX_REQUESTS) return refuse("SlowDown", asked.path)
    requests += 1
    const answered = await Promise.try(answer, asked).catch((cause: unknown): Refusal => {
      settings.onFailure(cause)
      return "InternalError"
    })
    requests -= 1
    const response = typeof answered === "string" ? refuse(answered, asked.path) : answered
    return cors.decorate(request, response)
  }

  const server = Bun.serve({
    hostname: settings.hostname,
    port: settings.port,
    idleTimeout: IDLE_SECONDS,
    maxRequestBodySize: MAX_OBJECT_BYTES + MAX_XML_BYTES,
    fetch: respond,
    development: false,
    // A file that is gone is found out after its handler has answered.
    error: (cause) => {
      settings.onFailure(cause)
      return refuse("InternalError", "")
    },
  })
  return {
    url: `http://${settings.hostname}:${server.port}`,
    sweep: () => blobs.sweep(catalogue.isBlob),
    /** Requests under way end; new ones are sent elsewhere. Bun alone would wait for idle connections too. */
    stop: async () => {
      isStopping = true
      while (server.pendingRequests > 0) await Bun.sleep(STOP_CHECK_MILLIS)
      await server.stop(true)
      catalogue.close()
    },
  }
}
