/** Changing a video's details, taking it down, putting it back. */
import { Effect, Schema } from "effect"
import type { VideoId } from "#domain/ids.ts"
import { takedown } from "#domain/takedown/takedown.ts"
import { TakedownReason, Visibility } from "#domain/video/events.ts"
import { video } from "#domain/video/video.ts"
import { execute } from "#infra/event-store/execute.ts"
import { PersonalData } from "#infra/personal-data/port.ts"
import type { Asker } from "./asker.ts"
import type { Answer } from "./respond.ts"

export const DetailsForm = Schema.Struct({
  title: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200))),
  description: Schema.optionalKey(Schema.NullOr(Schema.String.check(Schema.isMaxLength(10_000)))),
  visibility: Schema.optionalKey(Visibility),
})
export type DetailsForm = typeof DetailsForm.Type

export const TakedownForm = Schema.Struct({
  reason: TakedownReason,
  note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000))),
})
export type TakedownForm = typeof TakedownForm.Type

/** Under `If-Match` only that revision is changed; without it the newest is. */
export const changeDetails = Effect.fn("changeDetails")(function* (
  videoId: VideoId,
  form: DetailsForm,
  { accountId, at, cause, expected }: Asker,
) {
  const personal = yield* PersonalData
  const { title, description, visibility } = form
  const context = { cause, correlationId: videoId, actor: accountId }
  const changed = yield* execute(
    video,
    {
      _tag: "ChangeVideoDetails",
      videoId,
      at,
      ...(title === undefined ? {} : { title: yield* personal.seal(accountId, title) }),
      ...(description === undefined
        ? {}
        : { description: description ? yield* personal.seal(accountId, description) : null }),
      ...(visibility === undefined ? {} : { visibility }),
    },
    expected === undefined ? context : { ...context, expected },
  )
  return { ...changed, body: { videoId, ...form, revision: changed.revision } } satisfies Answer
})

/** What can be watched stays until the new renditions are whole. */
export const requestRenditions = Effect.fn("requestRenditions")(function* (
  videoId: VideoId,
  { accountId: actor, channelId, at, cause }: Asker,
) {
  const context = { cause, correlationId: videoId, actor }
  const requested = yield* execute(
    video,
    { _tag: "RequestRenditions", videoId, channelId, at, actor },
    context,
  )
  return { ...requested, status: 202, body: { videoId, state: "requested" } } satisfies Answer
})

/** The fact first, on the video's own stream; then the case beside it. */
export const takeDown = Effect.fn("takeDown")(function* (
  videoId: VideoId,
  { reason, note }: TakedownForm,
  { accountId: actor, at, cause }: Asker,
) {
  const personal = yield* PersonalData
  const context = { cause, correlationId: videoId, actor }
  const closed = yield* execute(
    video,
    { _tag: "TakeDownVideo", videoId, at, reason, actor },
    context,
  )
  yield* execute(
    takedown,
    {
      _tag: "OrderTakedown",
      videoId,
      at,
      actor,
      reason,
      note: note === undefined ? null : yield* personal.seal(actor, note),
    },
    { ...context, cause: `${cause} case` },
  )
  return { ...closed, body: { videoId, state: "taken-down", reason } } satisfies Answer
})

export const reinstate = Effect.fn("reinstate")(function* (
  videoId: VideoId,
  { accountId: actor, at, cause }: Asker,
) {
  const context = { cause, correlationId: videoId, actor }
  const opened = yield* execute(video, { _tag: "ReinstateVideo", videoId, at, actor }, context)
  yield* execute(
    takedown,
    { _tag: "LiftTakedown", videoId, at, actor },
    { ...context, cause: `${cause} case` },
  )
  return { ...opened, body: { videoId, state: "reinstated" } } satisfies Answer
})
