/** From an Effect to an HTTP answer: a body with its headers, or the problem that its failure is. */
import { Cause, Effect, Exit } from "effect"
import { countAnswer } from "./count.ts"
import { type Answerable, problemOf } from "./problem.ts"

export interface Answer {
  readonly status?: number
  readonly body: unknown
  /** Of the last event this write recorded; a later read may say `after=` it. */
  readonly position?: string
  readonly revision?: number
  readonly headers?: Readonly<Record<string, string>>
}

const answer = (answered: Answer | Response): Response => {
  if (answered instanceof Response) return answered
  const { status = 200, body, position, revision, headers = {} } = answered
  const told = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
    ...headers,
  })
  if (position !== undefined) told.set("reelog-position", position)
  if (revision !== undefined) told.set("etag", `"${revision}"`)
  return new Response(JSON.stringify(body), { status, headers: told })
}

/** How a process runs an effect that needs its ports. */
export type Run<R> = <A, E>(effect: Effect.Effect<A, E, R>) => Promise<Exit.Exit<A, E>>

/** Runs one route. A defect is logged by its cause and told as a code only. */
export const respondWith =
  <R>(run: Run<R>) =>
  async <E extends Answerable>(effect: Effect.Effect<Answer | Response, E, R>) => {
    const logged = effect.pipe(
      Effect.tapCause((cause) =>
        Cause.hasDies(cause) ? Effect.logError("a route failed", cause) : Effect.void,
      ),
    )
    const exit = await run(logged)
    const response = Exit.isSuccess(exit)
      ? answer(exit.value)
      : problemOf(exit.cause.reasons.find(Cause.isFailReason)?.error ?? { _tag: "Unexpected" })
    await run(countAnswer(response.status))
    return response
  }
