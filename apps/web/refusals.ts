/** Why a page can't be shown. Each is answered by a page of its own, in one place: `respond.ts`. */
import { Schema } from "effect"

export class PageNotFound extends Schema.TaggedError<PageNotFound>()("PageNotFound", {}) {}

export class SignInFirst extends Schema.TaggedError<SignInFirst>()("SignInFirst", {}) {}

export class VideoIsClosed extends Schema.TaggedError<VideoIsClosed>()("VideoIsClosed", {
  videoId: Schema.String,
}) {}

export type Refusal = PageNotFound | SignInFirst | VideoIsClosed
