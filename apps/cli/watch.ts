/** Follows a video to a milestone, showing on the way what the platform tells of it. */
import { Deferred, Effect, Stream } from "effect"
import { type Problem, problem } from "./problem.ts"
import { follow, type Placed, type Told } from "./progress.ts"
import { mebibytes, Screen } from "./screen.ts"

export type Milestone = "uploaded" | "playable" | "published"

const show = Effect.fnUntraced(function* (told: Told) {
  const screen = yield* Screen
  yield* screen.fact({ ...told })
  switch (told.event) {
    case "upload": {
      const { receivedBytes: done, byteLength: total } = told
      return yield* screen.bar({
        name: "upload",
        done,
        total,
        text: `${mebibytes(done)} of ${mebibytes(total)}`,
      })
    }
    case "rendition": {
      const { rung, done, total } = told
      if (total === 0) return
      return yield* screen.bar({ name: rung, done, total, text: `${done} of ${total}` })
    }
    default:
      return yield* screen.say(told.event)
  }
})

const isReached = (wanted: Milestone, { event }: Told) =>
  (event === "published" && wanted !== "uploaded") || event === wanted

const failureOf = (videoId: string, told: Told): Problem | undefined => {
  switch (told.event) {
    case "failed":
      return problem(told.code, "The video can't be made watchable", { videoId })
    case "taken-down":
      return problem("video_taken_down", "The video has been taken down", { videoId })
    default:
      return undefined
  }
}

/**
 * `reached` answers the position of the milestone, or fails when it can't come any more. With
 * `uploaded` only the platform's word ends it: whether the progress is seen then is no matter.
 */
export const watch = Effect.fn("watch")(function* (videoId: string, wanted: Milestone) {
  const reached = yield* Deferred.make<string | undefined, Problem>()
  const look = Effect.fnUntraced(function* ({ position, told }: Placed) {
    yield* show(told)
    const failure = failureOf(videoId, told)
    if (failure !== undefined) yield* Deferred.fail(reached, failure)
    else if (isReached(wanted, told)) yield* Deferred.succeed(reached, position)
  })
  const following = Effect.gen(function* () {
    const events = yield* follow(videoId)
    yield* Stream.runForEach(events, look)
  })
  yield* following.pipe(
    Effect.catch((failure) =>
      wanted === "uploaded" ? Effect.void : Deferred.fail(reached, failure),
    ),
    Effect.forkScoped,
  )
  return { reached: Deferred.await(reached) }
})
