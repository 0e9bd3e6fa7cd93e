/** Binds the video server to a port for as long as its scope is open. */
import { Effect } from "effect"
import { problem } from "./answers.ts"

interface Listen {
  readonly hostname: string
  readonly port: number
}

export const serveOn = (
  { hostname, port }: Listen,
  fetch: (request: Request) => Response | Promise<Response>,
) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      Bun.serve({
        hostname,
        port,
        idleTimeout: 60,
        development: false,
        fetch,
        // A file of the cache that is gone when its turn to be sent comes.
        error: () => problem("object_store_unavailable"),
      }),
    ),
    (server) => Effect.promise(() => server.stop()),
  )
