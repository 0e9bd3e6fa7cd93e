/** What an API process does, alone or with pages beside: answers on its port, forgets changed rows, opens the owner's channel. */
import { Effect } from "effect"
import { forgetChangedRows, openOwnersChannel } from "./background.ts"
import type { Run } from "./respond.ts"
import type { ApiServices } from "./services.ts"
import { ApiSettings } from "./settings.ts"

interface Answering {
  readonly handle: (request: Request) => Response | Promise<Response>
}

export const serve = Effect.fn("serve")(function* (makeApp: (run: Run<ApiServices>) => Answering) {
  const { listen } = yield* ApiSettings
  const context = yield* Effect.context<ApiServices>()
  const app = makeApp((effect) => Effect.runPromiseExit(Effect.provideContext(effect, context)))
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      Bun.serve({
        ...listen,
        idleTimeout: 60,
        development: false,
        fetch: (request) => app.handle(request),
      }),
    ),
    // Event streams would hold it open for ever: what is quick has been answered by then.
    (server) => Effect.promise(() => Promise.race([server.stop(), Bun.sleep(2_000)])),
  )
  yield* Effect.forkScoped(forgetChangedRows)
  yield* Effect.forkScoped(openOwnersChannel)
  return yield* Effect.never
})
