/** Alive (`/healthz`), able to serve (`/readyz`, each dependency by name), and counted (`/metrics`). */
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { nobodyCan, queuesView } from "#domain/scheduling/view.ts"
import { EventStore } from "#infra/event-store/port.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { ReadStore } from "#infra/read-store/port.ts"
import { COMPLETION_GROUP, LiveQueues } from "./queue.ts"
import type { Answer } from "./respond.ts"

const PATIENCE = "2 seconds"

const isUp = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.timeout(PATIENCE),
    Effect.match({ onSuccess: () => true, onFailure: () => false }),
  )

/** What this process needs, each tried for real. */
export const dependencies = Effect.fn("dependencies")(function* () {
  const log = yield* EventStore
  const objects = yield* ObjectStore
  const rows = yield* ReadStore
  const live = yield* LiveQueues
  const { queues } = yield* live.now
  const [eventStore, objectStore, readStore] = yield* Effect.all(
    [
      isUp(log.end),
      isUp(objects.head("health").pipe(Effect.catchTag("ObjectNotFound", () => Effect.void))),
      isUp(rows.ping),
    ],
    { concurrency: "unbounded" },
  )
  return { eventStore, objectStore, readStore, workers: queues.workers.size > 0 }
})

/** Without workers uploads are still taken, so only the stores decide. */
export const readiness = Effect.fn("readiness")(function* () {
  const { workers, ...stores } = yield* dependencies()
  const isReady = Object.values(stores).every(Boolean)
  const told = (up: boolean) => ({ status: up ? "up" : "down" })
  const { queues } = yield* (yield* LiveQueues).now
  const parts = Object.entries({ ...stores, workers }).map(([name, up]) => [name, told(up)])
  return {
    status: isReady ? 200 : 503,
    ...(isReady ? {} : { headers: { "retry-after": "1" } }),
    body: {
      status: isReady ? "ready" : "not ready",
      dependencies: Object.fromEntries(parts),
      /** Work that waits for a worker of another kind than those that are there. */
      nobodyCan: nobodyCan(queues),
    },
  } satisfies Answer
})

// Metrics

const gauges = {
  taskCount: Metric.gauge("reelog_tasks_ready", { description: "Tasks in the task queue" }),
  waitingCount: Metric.gauge("reelog_tasks_waiting", { description: "Failed tasks that back off" }),
  pausedCount: Metric.gauge("reelog_tasks_paused", {
    description: "Tasks whose uploads are silent",
  }),
  runningCount: Metric.gauge("reelog_tasks_running", {
    description: "Leases in the running queue",
  }),
  workers: Metric.gauge("reelog_workers", { description: "Workers that are known" }),
  parked: Metric.gauge("reelog_completion_parked", { description: "Parked milestones" }),
}

/** Prometheus text: answers of this process, and the queues as the log has them. */
export const metrics = Effect.fn("metrics")(function* () {
  const store = yield* EventStore
  const live = yield* LiveQueues
  const { queues } = yield* live.now
  const { taskCount, waitingCount, pausedCount, runningCount, workerQueue } = queuesView(queues)
  const group = yield* store.groupState(COMPLETION_GROUP)
  const readings = {
    ...{ taskCount, waitingCount, pausedCount, runningCount },
    workers: workerQueue.length,
    parked: group?.parked ?? 0,
  }
  for (const [name, gauge] of Object.entries(gauges)) {
    yield* Metric.update(gauge, readings[name as keyof typeof gauges])
  }
  const text = yield* PrometheusMetrics.format()
  return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4" } })
})
