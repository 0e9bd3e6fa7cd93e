/** For those who run the server: alive, ready (by dependency), and what it has done. */
import { Effect } from "effect"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import type { DiskCache } from "./disk-cache.ts"
import type { HeldVideos } from "./held-videos.ts"

const PATIENCE = "2 seconds"

type Health = "up" | "down"

const healthOf = <E>(asked: Effect.Effect<unknown, E>): Effect.Effect<Health> =>
  asked.pipe(
    Effect.timeout(PATIENCE),
    Effect.match({ onSuccess: () => "up" as const, onFailure: () => "down" as const }),
  )

const noStore = { "cache-control": "no-store" }

export const operations = Effect.fn("operations")(function* (videos: HeldVideos, cache: DiskCache) {
  const events = yield* EventStore
  const objects = yield* ObjectStore
  const answered = new Map<number, number>()

  const readiness = Effect.gen(function* () {
    const [eventStore, objectStore] = yield* Effect.all(
      [
        healthOf(events.end),
        // That there is no such object is an answer.
        healthOf(Effect.catchTag(objects.head("readyz"), "ObjectNotFound", () => Effect.void)),
      ],
      { concurrency: 2 },
    )
    const isReady = eventStore === "up" && objectStore === "up"
    return Response.json(
      { status: isReady ? "ready" : "unready", dependencies: { eventStore, objectStore } },
      { status: isReady ? 200 : 503, headers: noStore },
    )
  })

  const metrics = () => {
    const { hits, misses, bytes } = cache.counts()
    const { looks, failures } = videos.looks()
    const lines = [
      "# TYPE reelog_edge_responses_total counter",
      ...[...answered].map(
        ([status, count]) => `reelog_edge_responses_total{status="${status}"} ${count}`,
      ),
      "# TYPE reelog_edge_videos_held gauge",
      `reelog_edge_videos_held ${videos.size()}`,
      "# TYPE reelog_edge_cache_hits_total counter",
      `reelog_edge_cache_hits_total ${hits}`,
      "# TYPE reelog_edge_cache_misses_total counter",
      `reelog_edge_cache_misses_total ${misses}`,
      "# TYPE reelog_edge_cache_bytes gauge",
      `reelog_edge_cache_bytes ${bytes}`,
      "# TYPE reelog_edge_log_position gauge",
      `reelog_edge_log_position ${videos.position()}`,
      "# TYPE reelog_edge_log_looks_total counter",
      `reelog_edge_log_looks_total ${looks}`,
      "# TYPE reelog_edge_log_looks_failed_total counter",
      `reelog_edge_log_looks_failed_total ${failures}`,
    ]
    const headers = { ...noStore, "content-type": "text/plain; version=0.0.4; charset=utf-8" }
    return new Response(`${lines.join("\n")}\n`, { headers })
  }

  return {
    count: (response: Response): Response => {
      answered.set(response.status, (answered.get(response.status) ?? 0) + 1)
      return response
    },
    answer: (path: string): Response | Effect.Effect<Response> | null => {
      switch (path) {
        case "/healthz":
          return Response.json({ status: "alive" }, { headers: noStore })
        case "/readyz":
          return readiness
        case "/metrics":
          return metrics()
        default:
          return null
      }
    },
  }
})
