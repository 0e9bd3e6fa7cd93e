/**
 * The HTTP API as the command line uses it. Every request has a deadline; what is safe to repeat
 * (a read, or a write under an Idempotency-Key) is repeated while the platform is away, jittered,
 * within 20 s, so that a restart in the middle of a command is not noticed.
 */
import { Context, Effect, Layer, Result, Schedule, Schema, Stream } from "effect"
import type { Connection } from "./connection.ts"
import { Problem, type ProblemBody, problem } from "./problem.ts"

/** A part that may be PUT: where, and with which headers. */
export const PartToSend = Schema.Struct({
  number: Schema.Int,
  offset: Schema.Int,
  length: Schema.Int,
  url: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
})
export type PartToSend = typeof PartToSend.Type

export interface SentPart {
  readonly number: number
  readonly etag: string
  readonly sha256: string
}

const Created = Schema.Struct({ videoId: Schema.String, parts: Schema.Array(PartToSend) })
const Upload = Schema.Struct({ state: Schema.String, missing: Schema.Array(PartToSend) })
const Ended = Schema.Struct({ position: Schema.optionalKey(Schema.String) })

/** As the API tells it; only what every command relies on is named, the rest is passed on. */
export const Video = Schema.StructWithRest(
  Schema.Struct({
    videoId: Schema.String,
    state: Schema.String,
    title: Schema.NullOr(Schema.String),
    watchUrl: Schema.String,
    hlsUrl: Schema.String,
    /** None: a server older than it. */
    dashUrl: Schema.optionalKey(Schema.String),
  }),
  [Schema.Record(Schema.String, Schema.Json)],
)
export type Video = typeof Video.Type

export const HistoryEvent = Schema.Struct({
  position: Schema.String,
  stream: Schema.String,
  revision: Schema.Int,
  recordedAt: Schema.optionalKey(Schema.String),
  type: Schema.String,
  data: Schema.Json,
})
export type HistoryEvent = typeof HistoryEvent.Type
const History = Schema.Struct({ events: Schema.Array(HistoryEvent) })

export const AnyObject = Schema.Record(Schema.String, Schema.Json)
export type AnyObject = typeof AnyObject.Type
const parseObject = Schema.decodeUnknownResult(Schema.fromJsonString(AnyObject))

const DEADLINE_MILLIS = 30_000
/** The server speaks at least every 15 s. */
const SILENCE = "45 seconds"

const whileAway = Schedule.min([
  Schedule.exponential("100 millis"),
  Schedule.spaced("2 seconds"),
]).pipe(Schedule.jittered, Schedule.upTo({ duration: "20 seconds" }))

/** No answer, or one that asks to come again. */
const mayPass = ({ code, status }: Problem) =>
  code === "platform_unreachable" || status === 502 || status === 503 || status === 504

const refusalOf = (status: number, text: string): Problem => {
  const body = Result.getOrElse(parseObject(text), (): ProblemBody => ({}))
  const { code, title, type: _type, status: _status, ...more } = body
  return new Problem({
    code: typeof code === "string" ? code : "unexpected_answer",
    title: typeof title === "string" ? title : `The platform answered ${status}`,
    status,
    more,
  })
}

interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  readonly body?: unknown
  /** A body that is text already. */
  readonly text?: string
  readonly bytes?: Uint8Array<ArrayBuffer>
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}
export type WatermarkChange = Pick<Asked, "method" | "body" | "bytes"> & {
  readonly query?: Readonly<Record<string, string>>
}

export class Api extends Context.Service<
  Api,
  {
    readonly url: string
    readonly createVideo: (
      key: string,
      form: {
        readonly title: string
        readonly fileName: string
        readonly byteLength: number
        readonly parts: ReadonlyArray<{ readonly offset: number; readonly length: number }>
      },
    ) => Effect.Effect<typeof Created.Type, Problem>
    readonly upload: (videoId: string) => Effect.Effect<typeof Upload.Type, Problem>
    readonly reportParts: (
      videoId: string,
      parts: ReadonlyArray<SentPart>,
    ) => Effect.Effect<AnyObject, Problem>
    /** Answers the position of the fact, when the platform tells it. */
    readonly complete: (videoId: string) => Effect.Effect<typeof Ended.Type, Problem>
    readonly video: (
      videoId: string,
      when?: { readonly at?: string; readonly after?: string },
    ) => Effect.Effect<Video, Problem>
    readonly history: (videoId: string) => Effect.Effect<ReadonlyArray<HistoryEvent>, Problem>
    readonly takeDown: (videoId: string, reason: string) => Effect.Effect<AnyObject, Problem>
    readonly remake: (videoId: string) => Effect.Effect<AnyObject, Problem>
    readonly reinstate: (videoId: string) => Effect.Effect<AnyObject, Problem>
    /** Shows it, or changes it first. */
    readonly watermark: (
      channelId: string,
      change?: WatermarkChange,
    ) => Effect.Effect<AnyObject, Problem>
    readonly pipeline: (channelId: string) => Effect.Effect<AnyObject, Problem>
    readonly setPipeline: (channelId: string, text: string) => Effect.Effect<AnyObject, Problem>
    readonly resetPipeline: (channelId: string) => Effect.Effect<AnyObject, Problem>
    readonly queue: Effect.Effect<AnyObject, Problem>
    /** Lines as they come. */
    readonly rebuild: (model: string | undefined) => Stream.Stream<AnyObject, Problem>
    readonly verify: Stream.Stream<AnyObject, Problem>
    /** The text of server-sent events after a position; ends when the connection does. */
    readonly events: (videoId: string, after: string | undefined) => Stream.Stream<string, Problem>
  }
>()("apps/cli/Api") {}

const client = ({ url, token }: Connection) => {
  const send = (
    { method = "GET", path, body, text, bytes, key, headers = {} }: Asked,
    signal: AbortSignal,
  ) =>
    fetch(`${url}${path}`, {
      method,
      signal,
      headers: {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(text === undefined ? {} : { "content-type": "text/plain; charset=utf-8" }),
      },
      ...(text === undefined ? {} : { body: text }),
      ...(bytes === undefined ? {} : { body: bytes }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })

  const unreachable = () =>
    problem("platform_unreachable", `The platform at ${url} can't be reached`)

  const once = Effect.fnUntraced(function* (asked: Asked) {
    const { response, text } = yield* Effect.tryPromise({
      try: async (signal) => {
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MILLIS)])
        const answered = await send(asked, deadline)
        return { response: answered, text: await answered.text() }
      },
      catch: unreachable,
    })
    if (!response.ok) return yield* refusalOf(response.status, text)
    return { text, position: response.headers.get("reelog-position") ?? undefined }
  })

  const patiently = (asked: Asked) =>
    Effect.retry(once(asked), { while: mayPass, schedule: whileAway })

  const ask = <A, I>(schema: Schema.Codec<A, I>, asked: Asked) => {
    const read = Schema.decodeUnknownEffect(Schema.fromJsonString(schema))
    return patiently(asked).pipe(
      Effect.flatMap(({ text }) => read(text)),
      Effect.catchTag("SchemaError", ({ message }) =>
        Effect.fail(
          problem("unexpected_answer", "The platform's answer can't be read", { message }),
        ),
      ),
    )
  }

  /** Bytes as they come, as text. */
  const follow = (asked: Asked): Stream.Stream<string, Problem> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const response = yield* Effect.tryPromise({
          try: (signal) => send(asked, signal),
          catch: unreachable,
        })
        if (!response.ok) {
          const text = yield* Effect.promise(() => response.text().catch(() => ""))
          return yield* refusalOf(response.status, text)
        }
        const { body } = response
        if (body === null) return Stream.empty
        return Stream.fromReadableStream({ evaluate: () => body, onError: unreachable }).pipe(
          Stream.decodeText(),
        )
      }),
    )

  const lines = (asked: Asked) =>
    follow(asked).pipe(
      Stream.splitLines,
      Stream.filter((line) => line.trim() !== ""),
      Stream.mapEffect((line) =>
        Result.match(parseObject(line), {
          onSuccess: (object) => Effect.succeed(object),
          onFailure: () =>
            Effect.fail(problem("unexpected_answer", "The platform's answer can't be read")),
        }),
      ),
    )

  return { patiently, ask, follow, lines }
}

const v1 = "/v1/videos"
const channelOf = (channelId: string) => `/v1/channels/${encodeURIComponent(channelId)}`
const pipelineOf = (channelId: string) => `${channelOf(channelId)}/pipeline`
const of = (videoId: string) => `${v1}/${encodeURIComponent(videoId)}`

const query = (values: Readonly<Record<string, string | undefined>>) => {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  )
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`
}

export const makeApi = (connection: Connection): Api["Service"] => {
  const { patiently, ask, follow, lines } = client(connection)
  /** A new key for a new wish; a retry inside is the same wish. */
  const post = (path: string, body?: unknown) => ({
    method: "POST" as const,
    path,
    key: crypto.randomUUID(),
    ...(body === undefined ? {} : { body }),
  })
  return {
    url: connection.url,
    createVideo: (key, body) => ask(Created, { method: "POST", path: v1, key, body }),
    upload: (videoId) => ask(Upload, { path: `${of(videoId)}/upload` }),
    reportParts: (videoId, parts) => ask(AnyObject, post(`${of(videoId)}/parts`, { parts })),
    complete: (videoId) =>
      patiently(post(`${of(videoId)}/complete`)).pipe(
        Effect.map(({ position }) => (position === undefined ? {} : { position })),
      ),
    video: (videoId, { at, after } = {}) =>
      ask(Video, { path: `${of(videoId)}${query({ at, after })}` }),
    history: (videoId) =>
      Effect.map(ask(History, { path: `${of(videoId)}/history` }), ({ events }) => events),
    takeDown: (videoId, reason) => ask(AnyObject, post(`${of(videoId)}/takedown`, { reason })),
    remake: (videoId) => ask(AnyObject, post(`${of(videoId)}/renditions`)),
    reinstate: (videoId) =>
      ask(AnyObject, {
        method: "DELETE",
        path: `${of(videoId)}/takedown`,
        key: crypto.randomUUID(),
      }),
    watermark: (channelId, change) => {
      const path = `${channelOf(channelId)}/watermark${query(change?.query ?? {})}`
      return ask(AnyObject, change ? { ...change, path, key: crypto.randomUUID() } : { path })
    },
    pipeline: (channelId) => ask(AnyObject, { path: pipelineOf(channelId) }),
    setPipeline: (channelId, text) =>
      ask(AnyObject, {
        ...{ method: "PUT", path: pipelineOf(channelId), key: crypto.randomUUID(), text },
      }),
    resetPipeline: (channelId) =>
      ask(AnyObject, {
        ...{ method: "DELETE", path: pipelineOf(channelId), key: crypto.randomUUID() },
      }),
    queue: ask(AnyObject, { path: "/v1/queue" }),
    rebuild: (model) => lines(post(`/v1/operations/rebuild${query({ model })}`)),
    verify: lines({ path: "/v1/operations/verify" }),
    events: (videoId, after) =>
      follow({
        path: `${of(videoId)}/events`,
        headers: after === undefined ? {} : { "last-event-id": after },
      }).pipe(Stream.timeout(SILENCE)),
  }
}

export const api = (connection: Effect.Effect<Connection, Problem>) =>
  Layer.effect(Api, Effect.map(connection, makeApi))
