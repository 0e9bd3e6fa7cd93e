import { expect, test } from "bun:test"
import { Arbitrary, Effect, Result } from "effect"
import { VideoCommand, video } from "./video.ts"

const commands = Arbitrary.array(Arbitrary.schema(VideoCommand))

/** Runs a random history and asks `holds` after each command. */
const always = async (
  holds: (
    before: typeof video.initial,
    after: typeof video.initial,
    asked: VideoCommand,
  ) => boolean,
) => {
  const report = await Effect.runPromise(
    Arbitrary.checkEffect(
      commands,
      (sequence) =>
        Effect.sync(() => {
          let state = video.initial
          for (const command of sequence) {
            const before = state
            const events = Result.getOrElse(video.decide(state, command), () => [])
            state = events.reduce(video.evolve, state)
            if (!holds(before, state, command)) return false
          }
          return true
        }),
      { runs: 300 },
    ),
  )
  expect(Arbitrary.formatCheckFailure(report)).toBeUndefined()
}

test("only a reinstatement opens a video that was taken down", () =>
  always(
    (before, after, asked) =>
      before._tag === "Absent" ||
      !before.isTakenDown ||
      asked._tag === "ReinstateVideo" ||
      (after._tag === "Present" && after.isTakenDown),
  ))

test("a video is never published while it is taken down", () =>
  always(
    (before, after) =>
      before._tag === "Absent" ||
      after._tag === "Absent" ||
      !before.isTakenDown ||
      after.progress._tag !== "Published" ||
      before.progress._tag === "Published",
  ))

test("a published video stays published", () =>
  always(
    (before, after) =>
      before._tag === "Absent" ||
      before.progress._tag !== "Published" ||
      (after._tag === "Present" && after.progress._tag === "Published"),
  ))
