/**
 * For operators: rebuild read models by replay, and verify the invariants of everything: the log
 * in itself, the hash chains of its one-writer streams, the objects that events claim, and the read
 * models against a rebuild. Both answer NDJSON, a line for each thing looked at.
 */
import { type Cause, Effect, Stream } from "effect"
import { auditor, type Fact } from "#domain/invariants.ts"
import { runOf, runPrefix } from "#domain/keys.ts"
import { verifyChain } from "#infra/event-store/chain.ts"
import { EventStore, type EventStoreUnavailable, type Recorded } from "#infra/event-store/port.ts"
import { ObjectStore, type ObjectStoreUnavailable } from "#infra/object-store/port.ts"
import { type ReadStoreUnavailable, RowStore } from "#infra/read-store/port.ts"
import { projections, streamsRead } from "#projections/read-models.ts"
import { rebuild } from "#projections/rebuild.ts"
import { BadQuery } from "./asker.ts"

/** Replays the log into fresh tables, compares them row by row with those in use, and puts them in their place. */
const rebuilt = Effect.fn("rebuilt")(function* (model: (typeof projections)[number]) {
  const log = yield* EventStore
  const rows = yield* RowStore
  return yield* rebuild(log, rows, model, streamsRead)
})

const encoder = new TextEncoder()

/** A failure on the way is the last line: the status has been sent long before. */
const ndjson = Effect.fnUntraced(function* <A, E, R>(lines: Stream.Stream<A, E, R>) {
  const failed = (cause: Cause.Cause<E>) =>
    Stream.fromEffect(
      Effect.as(Effect.logError("an operation failed", cause), {
        code: "operation_failed",
        ok: false,
      }),
    )
  const told = lines.pipe(
    Stream.catchCause(failed),
    Stream.map((line) => encoder.encode(`${JSON.stringify(line)}\n`)),
  )
  const body = yield* Stream.toReadableStreamEffect(told)
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } })
})

export const rebuildModels = Effect.fn("rebuildModels")(function* (model: string | undefined) {
  const wanted = projections.filter(({ name }) => model === undefined || name === model)
  if (wanted.length === 0) {
    const names = projections.map(({ name }) => name).join(", ")
    return yield* new BadQuery({ issues: `model= is one of ${names}` })
  }
  return yield* ndjson(
    Stream.fromIterable(wanted).pipe(
      Stream.mapEffect(rebuilt),
      Stream.map((report) => ({ ...report, ok: report.differences === 0 })),
    ),
  )
})

interface Check {
  readonly check: string
  readonly looked: number
  readonly problems: ReadonlyArray<unknown>
}

const PROBLEMS_TOLD = 50

const oneWriter = /^(upload|video|takedown|channel|account)-/

/** The log in itself, and what it says about published videos. */
const auditLog = Effect.gen(function* () {
  const store = yield* EventStore
  const audit = auditor()
  const chains = new Map<string, Array<Recorded>>()
  const published = new Map<string, { readonly run: number; readonly keys: Set<string> }>()
  const outputs = new Map<string, Array<string>>()
  let looked = 0
  yield* Stream.runForEach(store.readAll(), (recorded) =>
    Effect.sync(() => {
      looked += 1
      audit.look(recorded satisfies Fact)
      const { event, stream } = recorded
      if (oneWriter.test(stream)) chains.set(stream, [...(chains.get(stream) ?? []), recorded])
      if (event._tag === "TaskSucceeded") {
        const claimed = Object.values(event.outputs).flatMap((output) =>
          typeof output === "object" && output !== null && "key" in output
            ? [String(output.key)]
            : [],
        )
        const transcode = event.taskId.slice(0, event.taskId.indexOf("/"))
        outputs.set(transcode, [...(outputs.get(transcode) ?? []), ...claimed])
      }
      if (event._tag === "VideoPublished") {
        const keys = new Set(outputs.get(event.transcode))
        published.set(event.videoId, { run: runOf(event.transcode), keys })
      }
    }),
  )
  const broken = [...chains.values()].flatMap(verifyChain)
  const checks: ReadonlyArray<Check> = [
    { check: "log", looked, problems: audit.problems().slice(0, PROBLEMS_TOLD) },
    { check: "chains", looked: chains.size, problems: broken.slice(0, PROBLEMS_TOLD) },
  ]
  return {
    checks,
    published,
    known: new Set([...chains.keys()].map((name) => name.slice(name.indexOf("-") + 1))),
  }
})

/** Every published video has its segments, and nothing lies there that no event owns. */
const auditObjects = Effect.fnUntraced(function* (
  published: ReadonlyMap<string, { readonly run: number; readonly keys: ReadonlySet<string> }>,
  isKnown: (videoId: string) => boolean,
) {
  const objects = yield* ObjectStore
  const problems: Array<unknown> = []
  const segments = new Map<string, number>()
  let looked = 0
  for (const prefix of ["segments/", "temp/", "sources/", "manifests/", "images/"]) {
    yield* Stream.runForEach(objects.list(prefix), ({ key }) =>
      Effect.sync(() => {
        looked += 1
        const [kind, videoId = "", run = ""] = key.split("/")
        if (!isKnown(videoId)) problems.push({ key, detail: "no event owns it" })
        if (kind === "temp" && published.has(videoId)) problems.push({ key, detail: "left behind" })
        if (kind === "segments") {
          const place = `segments/${videoId}/${run}/`
          segments.set(place, (segments.get(place) ?? 0) + 1)
        }
      }),
    )
  }
  for (const [videoId, { run, keys }] of published) {
    if (!segments.has(runPrefix(videoId, run))) problems.push({ videoId, detail: "no segments" })
    for (const key of keys) {
      if (key.startsWith("temp/")) continue
      yield* objects
        .head(key)
        .pipe(
          Effect.catchTag("ObjectNotFound", () =>
            Effect.sync(() => problems.push({ key, detail: "claimed, but not there" })),
          ),
        )
    }
  }
  return { check: "objects", looked, problems: problems.slice(0, PROBLEMS_TOLD) } satisfies Check
})

const auditModels = Effect.gen(function* () {
  const reports = yield* Effect.forEach(projections, rebuilt)
  const problems = reports.filter(({ differences }) => differences > 0)
  const looked = reports.reduce((sum, { rows }) => sum + rows, 0)
  return { check: "read models", looked, problems } satisfies Check
})

/** The log is read before the first line is told; objects and read models follow as they are done. */
export const verifyAll = Effect.fn("verifyAll")(function* () {
  const { checks, published, known } = yield* auditLog
  const rest: ReadonlyArray<
    Effect.Effect<
      Check,
      | EventStoreUnavailable
      | ObjectStoreUnavailable
      | ReadStoreUnavailable
      | { readonly _tag: "RowRefused" },
      EventStore | ObjectStore | RowStore
    >
  > = [auditObjects(published, (videoId) => known.has(videoId)), auditModels]
  const all = Stream.concat(
    Stream.fromIterable(checks),
    Stream.mapEffect(Stream.fromIterable(rest), (check) => check),
  )
  const told = Stream.map(all, (check) => ({ ...check, ok: check.problems.length === 0 }))
  return yield* ndjson(
    Stream.mapAccum(
      told,
      () => true,
      (soFar, check) => [soFar && check.ok, [check]] as const,
      { onHalt: (ok) => [{ check: "all", looked: 0, problems: [], ok }] },
    ),
  )
})
