/** The whole API in memory, its rows folded from the log at each question; asked as its owner or as a stranger. For tests. */
import { type Context, Effect, Layer, Logger, type Scope } from "effect"
import type { DomainEvent } from "#domain/events.ts"
import { type StreamName, VideoId } from "#domain/ids.ts"
import { Cache } from "#infra/cache/port.ts"
import { environmentLayer } from "#infra/configuration.ts"
import { envelope } from "#infra/event-store/execute.ts"
import { EventStore } from "#infra/event-store/port.ts"
import type { Identity } from "#infra/identity/port.ts"
import type { ObjectStore } from "#infra/object-store/port.ts"
import type { PersonalData } from "#infra/personal-data/port.ts"
import { ReadStore, RowStore } from "#infra/read-store/port.ts"
import { type WatchPage, watchPage } from "#projections/watch-page.ts"
import { api } from "./app.ts"
import { lifeOf, rowAfter } from "./life.ts"
import { liveProgress } from "./live.ts"
import { liveQueues } from "./queue.ts"
import type { ApiServices } from "./services.ts"
import { apiSettings } from "./settings.ts"

const TOKEN = "the-owner"

const environment = {
  REELOG_SECRET: "a secret of tests",
  REELOG_OWNER_TOKEN: TOKEN,
  REELOG_PERSONAL_DATA_KEY: Buffer.alloc(32, 7).toString("base64"),
}

/** Read models that are never behind, as far as one video is asked for. */
const foldedRows = Layer.effect(
  ReadStore,
  Effect.gen(function* () {
    const store = yield* EventStore
    const rowOf = (videoId: string) =>
      lifeOf(VideoId.make(videoId)).pipe(
        Effect.map((life) => rowAfter<WatchPage>(watchPage, life)),
        Effect.map((row) => (row === null ? [] : [row])),
        Effect.catch(() => Effect.succeed([])),
        Effect.provideService(EventStore, store),
      )
    return ReadStore.of({
      onShardOf: (key) => rowOf(key) as never,
      onEveryShard: () => Effect.succeed([]),
      waitFor: () => Effect.void,
      ping: Effect.void,
      checkpoints: Effect.succeed([]),
      parked: Effect.succeed([]),
    })
  }),
)

const forgetful = Layer.succeed(
  Cache,
  Cache.of({
    get: () => Effect.succeed(null),
    set: () => Effect.void,
    remove: () => Effect.void,
    clear: Effect.void,
    through: (_key, _ttlSeconds, load) => load,
  }),
)

/** Nobody rebuilds here. */
const noRows = Layer.mock(RowStore, { databases: 1, databaseOf: () => 0 })

export interface Adapters<Secrets, Failure> {
  readonly log: Layer.Layer<EventStore>
  readonly objects: Layer.Layer<ObjectStore>
  /** Who asks, and who may read what: sealed and signed as in earnest. */
  readonly secrets: Layer.Layer<Secrets, Failure, ObjectStore>
}

const over = <Failure>(
  { log, objects, secrets }: Adapters<Identity | PersonalData, Failure>,
  more: Readonly<Record<string, string>>,
) => {
  const stores = Layer.mergeAll(log, objects, noRows, forgetful)
  return Layer.mergeAll(foldedRows, liveProgress, liveQueues, secrets).pipe(
    Layer.provideMerge(Layer.mergeAll(stores, apiSettings)),
    Layer.provideMerge(environmentLayer({ ...environment, ...more })),
    Layer.provideMerge(Logger.layer([])),
  )
}

export interface Told {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
  readonly headers: Headers
}

/** Everything the story needs of an API: `as` is its owner or nobody in particular. */
const askingOver = (context: Context.Context<ApiServices>) => {
  const app = api((effect) => Effect.runPromiseExit(Effect.provideContext(effect, context)))
  const fetch = (as: "owner" | "stranger", path: string, init: RequestInit = {}) => {
    const headers = new Headers({ "content-type": "application/json", ...init.headers })
    if (as === "owner") headers.set("authorization", `Bearer ${TOKEN}`)
    return app.handle(new Request(`http://reelog.test${path}`, { ...init, headers }))
  }
  const ask = (as: "owner" | "stranger", path: string, method = "GET", body?: unknown) =>
    Effect.promise(async (): Promise<Told> => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(as, path, { method, ...sent })
      const { status, headers } = response
      const text = await response.text()
      const isJson = /json$/.test(headers.get("content-type") ?? "")
      return { status, headers, text, code: isJson ? JSON.parse(text).code : undefined }
    })
  let said = 0
  const say = Effect.fnUntraced(function* (stream: StreamName, event: DomainEvent) {
    const store = yield* EventStore
    const told = yield* envelope(stream, event, { cause: `said ${++said}`, actor: "test" })
    return yield* store.append(stream, "any", [told])
  })
  const create = Effect.fnUntraced(function* (more: object = {}) {
    const form = { title: "A secret title", fileName: "film.mp4", byteLength: 300, ...more }
    const { text } = yield* ask("owner", "/v1/videos", "POST", form)
    return VideoId.make(JSON.parse(text).videoId)
  })
  return { fetch, ask, say, create }
}

export type Asking = ReturnType<typeof askingOver>

export const insideOver =
  <Failure>(adapters: Adapters<Identity | PersonalData, Failure>) =>
  <E>(
    story: (asking: Asking) => Effect.Effect<void, E, ApiServices | Scope.Scope>,
    settings: Readonly<Record<string, string>> = {},
  ) =>
    Effect.runPromise(
      Effect.flatMap(Effect.context<ApiServices>(), (context) => story(askingOver(context))).pipe(
        Effect.scoped,
        Effect.provide(over(adapters, settings)),
      ),
    )
