/** The routes of a channel's settings: its pipeline, its watermark. */
import { Effect } from "effect"
import { Elysia } from "elysia"
import { asker } from "./asker.ts"
import { choosePipeline, resetPipeline, showPipeline } from "./pipelines.ts"
import { type Run, respondWith } from "./respond.ts"
import type { ApiServices } from "./services.ts"
import { putWatermark, removeWatermark, showWatermark, watermarkBody } from "./watermarks.ts"

const ownersAlone = (summary: string) => ({ detail: { summary, security: [{ token: [] }] } })
/** A body that is read here, whatever it calls itself. */
const pipelineText = (summary: string) => {
  const schema = { type: "string" as const, maxLength: 32 * 1024 }
  const content = { "application/yaml": { schema }, "text/plain": { schema } }
  const requestBody = { required: true, content: { ...content, "application/json": {} } }
  return { parse: "text" as const, detail: { ...ownersAlone(summary).detail, requestBody } }
}

export const channels = (run: Run<ApiServices>) => {
  const respond = respondWith(run)
  return new Elysia()
    .get(
      "/v1/channels/:id/pipeline",
      ({ params, request }) =>
        respond(asker(request).pipe(Effect.flatMap((who) => showPipeline(params.id, who)))),
      ownersAlone("By which pipeline the channel's new videos are made, and its text"),
    )
    .put(
      "/v1/channels/:id/pipeline",
      ({ params, body, request }) =>
        respond(
          asker(request).pipe(
            Effect.flatMap((who) => choosePipeline(params.id, String(body ?? ""), who)),
          ),
        ),
      pipelineText("Make the channel's new videos by this pipeline (If-Match)"),
    )
    .delete(
      "/v1/channels/:id/pipeline",
      ({ params, request }) =>
        respond(asker(request).pipe(Effect.flatMap((who) => resetPipeline(params.id, who)))),
      ownersAlone("Make the channel's new videos by the built-in pipeline again"),
    )
    .get(
      "/v1/channels/:id/watermark",
      ({ params, request }) =>
        respond(asker(request).pipe(Effect.flatMap((who) => showWatermark(params.id, who)))),
      ownersAlone("What the channel's new videos are marked with, and how far it is made"),
    )
    .put(
      "/v1/channels/:id/watermark",
      ({ params, request }) =>
        respond(
          asker(request).pipe(Effect.flatMap((who) => putWatermark(params.id, request, who))),
        ),
      watermarkBody,
    )
    .delete(
      "/v1/channels/:id/watermark",
      ({ params, request }) =>
        respond(asker(request).pipe(Effect.flatMap((who) => removeWatermark(params.id, who)))),
      ownersAlone("Mark the channel's new videos no more"),
    )
}
