/**
 * The cache in Redis, shared by processes. While Redis is away each process makes what it needs
 * itself, still once per key; an invalidation that Redis did not hear is made good, before anything
 * is read again, by forgetting everything.
 */
import { Config, Data, Effect, Layer, Redacted } from "effect"
import { createClient } from "redis"
import { makeFlights } from "./flights.ts"
import { Cache } from "./port.ts"
import { type Keys, scripts } from "./redis-scripts.ts"

const settings = Config.all({
  url: Config.Redacted("REELOG_REDIS_URL"),
  prefix: Config.String("REELOG_REDIS_PREFIX").pipe(Config.withDefault("reelog:")),
})

/** Longer than this, Redis costs more than it saves. */
const COMMAND_TIMEOUT = "500 millis"
const CONNECT_MILLIS = 1_000
const MAX_RECONNECT_MILLIS = 2_000
/** Who makes a value and dies blocks others no longer than this. */
const LEASE_MILLIS = 5_000
const POLL_MILLIS = 20

class RedisAway extends Data.TaggedError("RedisAway")<{ readonly cause: unknown }> {}

const clientFor = (url: string) =>
  createClient({
    url,
    scripts,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_MILLIS,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, MAX_RECONNECT_MILLIS),
    },
  })

const connected = Effect.fnUntraced(function* (url: string) {
  const runFork = Effect.runForkWith(yield* Effect.context())
  const client = clientFor(url)
  let isAway = false
  // Without a listener each lost connection would end the process.
  client.on("error", (cause: unknown) => {
    if (!isAway) runFork(Effect.logWarning("Redis is away", cause))
    isAway = true
  })
  client.on("ready", () => {
    if (isAway) runFork(Effect.logInfo("Redis is back"))
    isAway = false
  })
  const ready = Effect.callback<void>((resume) => {
    client.once("ready", () => resume(Effect.void))
    client.connect().catch(() => undefined)
  })
  // A cache that is not there at the start is no reason not to start.
  yield* Effect.timeoutOption(ready, CONNECT_MILLIS)
  return client
})

const open = Effect.gen(function* () {
  const { url, prefix } = yield* settings
  const client = yield* Effect.acquireRelease(connected(Redacted.value(url)), (opened) =>
    Effect.sync(() => opened.destroy()),
  )
  const flights = makeFlights()
  const epoch = `${prefix}epoch`
  const keysOf = (key: string): Keys => ({
    epoch,
    value: `${prefix}v:${key}`,
    lease: `${prefix}l:${key}`,
  })
  /** An invalidation was lost. */
  let isDirty = false

  const send = <A>(command: () => Promise<A>) =>
    Effect.tryPromise({ try: command, catch: (cause) => new RedisAway({ cause }) }).pipe(
      Effect.timeoutOrElse({
        duration: COMMAND_TIMEOUT,
        orElse: () => Effect.fail(new RedisAway({ cause: "no answer in time" })),
      }),
    )

  const forget = Effect.suspend(() => {
    isDirty = true
    return Effect.tap(
      send(() => client.incr(epoch)),
      () =>
        Effect.sync(() => {
          isDirty = false
        }),
    )
  })

  const command = <A>(run: () => Promise<A>) =>
    Effect.suspend(() => (isDirty ? Effect.andThen(forget, send(run)) : send(run)))

  const invalidation = (run: () => Promise<unknown>) =>
    command(run).pipe(
      Effect.catch(() =>
        Effect.sync(() => {
          isDirty = true
        }),
      ),
      Effect.asVoid,
    )

  const loadUnder = <E, R>(
    key: string,
    token: string,
    ttlSeconds: number,
    load: Effect.Effect<string, E, R>,
    isWanted: () => boolean,
  ) => {
    const keys = keysOf(key)
    const giveBack = Effect.ignore(command(() => client.giveBack(keys, token)))
    const keep = (value: string) =>
      Effect.ignore(command(() => client.keep(keys, token, ttlSeconds * 1000, value)))
    return load.pipe(
      Effect.onError(() => giveBack),
      Effect.tap((value) => Effect.suspend(() => (isWanted() ? keep(value) : giveBack))),
    )
  }

  const throughRedis = Effect.fnUntraced(function* <E, R>(
    key: string,
    ttlSeconds: number,
    load: Effect.Effect<string, E, R>,
    isWanted: () => boolean,
  ) {
    const token = crypto.randomUUID()
    for (let waited = 0; waited < LEASE_MILLIS; waited += POLL_MILLIS) {
      const asked = yield* command(() => client.ask(keysOf(key), token, LEASE_MILLIS)).pipe(
        Effect.catch(() => Effect.succeed({ _tag: "Away" } as const)),
      )
      switch (asked._tag) {
        case "Value":
          return asked.value
        case "Lease":
          return yield* loadUnder(key, token, ttlSeconds, load, isWanted)
        case "Away":
          return yield* load
        case "Wait":
          yield* Effect.sleep(POLL_MILLIS)
      }
    }
    return yield* load
  })

  return Cache.of({
    get: (key) =>
      command(() => client.read(keysOf(key))).pipe(Effect.catch(() => Effect.succeed(null))),
    set: (key, value, ttlSeconds) =>
      Effect.suspend(() => {
        flights.invalidate([key])
        return invalidation(() => client.overwrite(keysOf(key), ttlSeconds * 1000, value))
      }),
    remove: (keys) =>
      Effect.suspend(() => {
        flights.invalidate(keys)
        const names = keys.map(keysOf).flatMap(({ value, lease }) => [value, lease])
        return names.length === 0 ? Effect.void : invalidation(() => client.unlink(names))
      }),
    clear: Effect.suspend(() => {
      flights.invalidateAll()
      return Effect.ignore(forget)
    }),
    through: (key, ttlSeconds, load) =>
      flights.share(key, (isWanted) => throughRedis(key, ttlSeconds, load, isWanted)),
  })
})

export const redisCache = Layer.effect(Cache, open)
