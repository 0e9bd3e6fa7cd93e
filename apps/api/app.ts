/**
 * The HTTP API under `/v1`, as one Elysia app over its ports. Stateless: any process
 * answers any request. What is wrong with a request is told as a problem; a route never throws.
 */
import { Effect, Schema, Stream } from "effect"
import { Elysia } from "elysia"
import { asker, BadQuery, momentOf, positionOf, videoIdOf, whoAsks } from "./asker.ts"
import {
  changeDetails,
  DetailsForm,
  reinstate,
  requestRenditions,
  TakedownForm,
  takeDown,
} from "./changes.ts"
import { channels } from "./channels.ts"
import { createVideo, VideoForm } from "./creation.ts"
import { docs, document } from "./docs.ts"
import { gate } from "./gate.ts"
import { metrics, readiness } from "./health.ts"
import { showHistory } from "./history.ts"
import { eventStreamOf, LiveProgress } from "./live.ts"
import { rebuildModels, verifyAll } from "./operations.ts"
import { problemOf } from "./problem.ts"
import { showQueue } from "./queue.ts"
import { Limit, listVideos, showVideo } from "./reading.ts"
import { type Run, respondWith } from "./respond.ts"
import type { ApiServices } from "./services.ts"
import { withoutTasks } from "./strangers.ts"
import { putThumbnail, thumbnailBody } from "./thumbnails.ts"
import { completeUpload, PartsForm, receiveParts, showUpload } from "./uploads.ts"

/** A body of this schema and nothing more; it becomes part of the OpenAPI document. */
const json = <S extends Schema.Codec<unknown, unknown>>(schema: S, summary: string) => ({
  body: Schema.toStandardSchemaV1(schema, { parseOptions: { onExcessProperty: "error" } }),
  parse: "json" as const,
  detail: { summary, security: [{ token: [] }] },
})
const write = (summary: string) => ({ detail: { summary, security: [{ token: [] }] } })
const read = (summary: string, description?: string) => ({
  detail: description === undefined ? { summary } : { summary, description },
})

const queryOf = (request: Request, name: string) => new URL(request.url).searchParams.get(name)

const limitOf = (text: string | null) => {
  const limit = text === null ? 24 : Number(text)
  return Schema.is(Limit)(limit)
    ? Effect.succeed(limit)
    : Effect.fail(new BadQuery({ issues: "limit= is a whole number from 1 to 100" }))
}

export const api = (run: Run<ApiServices>) => {
  const respond = respondWith(run)
  /** For writes: the actor, then the video, then what is asked. */
  const asked = (request: Request, id: string) =>
    Effect.all([asker(request), videoIdOf(id)] as const)

  return (
    new Elysia()
      .onError({ as: "global" }, ({ code, error }) => {
        if (code === "NOT_FOUND") return problemOf({ _tag: "RouteNotFound" })
        if (code === "PARSE") return problemOf({ _tag: "BadJson" })
        if (code === "VALIDATION") {
          const issues = error.all.map((it) => ("summary" in it ? `${it.path}: ${it.summary}` : ""))
          return problemOf({ _tag: "InvalidRequest", ...{ issues: issues.filter(Boolean) } })
        }
        return problemOf({ _tag: "Unexpected" })
      })
      .onRequest(gate(run))
      .use(document)
      .use(docs)
      .get("/healthz", () => ({ status: "alive" }), read("Is the process alive?"))
      .get("/readyz", () => respond(readiness()), read("Can it serve? Each dependency by name"))
      .get("/metrics", () => respond(metrics()), read("Prometheus metrics"))
      .post(
        "/v1/videos",
        ({ body, request }) =>
          respond(asker(request).pipe(Effect.flatMap((who) => createVideo(body, who)))),
        json(VideoForm, "Ask for a video: its id and where to PUT its parts"),
      )
      .get(
        "/v1/videos",
        ({ request }) =>
          respond(
            Effect.gen(function* () {
              const limit = yield* limitOf(queryOf(request, "limit"))
              const after = yield* positionOf(queryOf(request, "after"))
              return yield* listVideos(queryOf(request, "cursor"), limit, after)
            }),
          ),
        read("Published videos, newest first (cursor, limit, after)"),
      )
      .get(
        "/v1/videos/:id",
        ({ params, request }) =>
          respond(
            Effect.gen(function* () {
              const videoId = yield* videoIdOf(params.id)
              const after = yield* positionOf(queryOf(request, "after"))
              const moment = yield* momentOf(queryOf(request, "at"))
              const isOwner = (yield* whoAsks(request)) !== undefined
              return yield* showVideo({ videoId, after, moment, isOwner })
            }),
          ),
        read(
          "One video, now (after) or at a position or time (at)",
          "Strangers find no private video, and 451 in place of one that is taken down: its past is closed with it, and what was private then stays so.",
        ),
      )
      .patch(
        "/v1/videos/:id",
        ({ params, body, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => changeDetails(videoId, body, who)),
            ),
          ),
        json(DetailsForm, "Change title, description or visibility (If-Match)"),
      )
      .post(
        "/v1/videos/:id/parts",
        ({ params, body, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => receiveParts(videoId, body, who)),
            ),
          ),
        json(PartsForm, "Report parts that were PUT, in batches"),
      )
      .get(
        "/v1/videos/:id/upload",
        ({ params, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => showUpload(videoId, who)),
            ),
          ),
        write("Which parts are missing, with fresh URLs"),
      )
      .post(
        "/v1/videos/:id/complete",
        ({ params, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => completeUpload(videoId, who)),
            ),
          ),
        write("All parts are there"),
      )
      .get(
        "/v1/videos/:id/events",
        ({ params, request }) =>
          respond(
            Effect.gen(function* () {
              const videoId = yield* videoIdOf(params.id)
              const last = request.headers.get("last-event-id") ?? queryOf(request, "after")
              const isOwner = (yield* whoAsks(request)) !== undefined
              const after = yield* positionOf(last)
              const live = yield* LiveProgress
              const frames = yield* live.follow({ videoId, after, isOwner })
              return eventStreamOf(yield* Stream.toReadableStreamEffect(Stream.encodeText(frames)))
            }),
          ),
        read(
          "Progress as server-sent events, resumable by Last-Event-ID",
          "503 `too_many_event_streams` when this process holds as many connections as it may. For strangers it ends when the video is taken down or made private.",
        ),
      )
      .get(
        "/v1/videos/:id/history",
        ({ params, request }) =>
          respond(
            Effect.gen(function* () {
              const moment = yield* momentOf(queryOf(request, "at"))
              const [, videoId] = yield* asked(request, params.id)
              return yield* showHistory(videoId, moment)
            }),
          ),
        write("Every event of the video in log order"),
      )
      .put(
        "/v1/videos/:id/thumbnail",
        ({ params, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => putThumbnail(videoId, request, who)),
            ),
          ),
        thumbnailBody,
      )
      .post(
        "/v1/videos/:id/renditions",
        ({ params, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => requestRenditions(videoId, who)),
            ),
          ),
        write(
          "Make the renditions of a published video anew, by the channel's pipeline and watermark of now",
        ),
      )
      .post(
        "/v1/videos/:id/takedown",
        ({ params, body, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => takeDown(videoId, body, who)),
            ),
          ),
        json(TakedownForm, "Take the video down: every URL of it answers 451"),
      )
      .delete(
        "/v1/videos/:id/takedown",
        ({ params, request }) =>
          respond(
            asked(request, params.id).pipe(
              Effect.flatMap(([who, videoId]) => reinstate(videoId, who)),
            ),
          ),
        write("Put the video back"),
      )
      .use(channels(run))
      .get(
        "/v1/queue",
        ({ request }) =>
          respond(
            Effect.gen(function* () {
              const { body } = yield* showQueue()
              const isOwner = (yield* whoAsks(request)) !== undefined
              return { body: isOwner ? body : withoutTasks(body) }
            }),
          ),
        read(
          "Task, worker, running and completion queue",
          "Without the owner's token the lists of tasks are empty, because they name videos that are private or not published; all counts and the workers' slots are told to everyone.",
        ),
      )
      .post(
        "/v1/operations/rebuild",
        ({ request }) =>
          respond(
            asker(request).pipe(
              Effect.flatMap(() => rebuildModels(queryOf(request, "model") ?? undefined)),
            ),
          ),
        write("Rebuild read models from the log and compare (model); NDJSON"),
      )
      .get(
        "/v1/operations/verify",
        ({ request }) => respond(asker(request).pipe(Effect.flatMap(() => verifyAll()))),
        write("Check the invariants of the whole platform; NDJSON"),
      )
      // Told as a problem, also where pages answer everything else.
      .get("/v1/*", () => problemOf({ _tag: "RouteNotFound" }), { detail: { hide: true } })
  )
}
