/**
 * From a failure to an RFC 9457 problem: each tag has one status and one stable code. A route
 * whose failure has no row here does not compile. Nothing internal is told: no stack, no cause.
 */

const problems = {
  // the request
  BadJson: [400, "bad_json", "The body is not JSON"],
  BadQuery: [400, "bad_query", "A query parameter is malformed"],
  Unauthorized: [401, "unauthorized", "Sign in, or send the owner's token"],
  InvalidRequest: [422, "invalid_request", "A field is missing, unknown or of the wrong form"],
  RouteNotFound: [404, "not_found", "There is nothing here"],
  MethodNotAllowed: [405, "method_not_allowed", "Not with this method"],
  NotJson: [415, "not_json", "The body must be application/json"],
  SourceTooLarge: [413, "source_too_large", "The video is larger than this platform takes"],
  BodyTooLarge: [413, "body_too_large", "The body is larger than 1 MiB"],
  ImageTooLarge: [413, "image_too_large", "The image is larger than 8 MiB"],
  NotAnImage: [415, "not_an_image", "The body is no JPEG, PNG, WebP or AVIF"],
  ThumbnailNotFound: [404, "thumbnail_not_found", "The video has no such thumbnail"],
  WatermarkNotFound: [404, "watermark_not_found", "The channel has no watermark"],
  NotPipelineText: [415, "not_pipeline_text", "A pipeline is sent as YAML, JSON or plain text"],
  PipelineTooLong: [413, "pipeline_too_long", "The pipeline is longer than 32 KiB"],
  PipelineMistaken: [422, "pipeline_mistaken", "The pipeline has mistakes"],
  SourceEmpty: [422, "empty", "The file is empty"],
  // the domain said no
  VideoNotFound: [404, "video_not_found", "There is no such video"],
  ChannelNotFound: [404, "channel_not_found", "There is no such channel"],
  UploadNotFound: [404, "upload_not_found", "There is no such upload"],
  RequestDiffers: [
    422,
    "idempotency_key_reused",
    "This Idempotency-Key was used for another request",
  ],
  VideoIsClosed: [451, "video_taken_down", "The video has been taken down"],
  VideoClosed: [409, "video_taken_down", "The video has been taken down"],
  VideoNotPublished: [409, "video_not_published", "The video has not been published yet"],
  VideoHasFailed: [409, "video_failed", "The video has failed"],
  PartsDoNotTile: [422, "parts_do_not_tile", "The parts do not cover the file exactly once"],
  PartUnknown: [422, "part_unknown", "The upload has no part of this number"],
  PartMissing: [409, "part_missing", "A part that was reported is not in the store"],
  PartDiffers: [409, "part_differs", "A part in the store is not what was reported"],
  PartHashDiffers: [409, "part_hash_differs", "A part arrived damaged: send it again"],
  UploadIncomplete: [409, "upload_incomplete", "Parts are still missing"],
  UploadIsOver: [409, "upload_over", "The upload has ended"],
  SignInLinkSpent: [403, "sign_in_link_spent", "This sign-in link has been used or has expired"],
  // a port could not
  RevisionConflict: [412, "revision_conflict", "The video was changed meanwhile"],
  TooManyEventStreams: [
    503,
    "too_many_event_streams",
    "As many connections follow videos here as may",
  ],
  ReadModelBehind: [503, "read_model_behind", "The read model has not reached that position yet"],
  EventStoreUnavailable: [503, "event_store_unavailable", "The log can't be reached"],
  ObjectStoreUnavailable: [503, "object_store_unavailable", "The object store can't be reached"],
  ReadStoreUnavailable: [503, "read_store_unavailable", "The read store can't be reached"],
  StreamUnreadable: [500, "stream_unreadable", "The history of this video can't be read"],
  Unexpected: [500, "unexpected", "Something went wrong here"],
} as const satisfies Record<string, readonly [number, string, string]>

export interface Answerable {
  readonly _tag: keyof typeof problems
}

/** Fields of a failure that may be told; the rest stays inside. */
const told = new Set(
  "videoId reason number missing at expected actual limit issues mistakes".split(" "),
)

export const problemOf = (failure: Answerable): Response => {
  const [status, code, title] = problems[failure._tag]
  const fields = Object.entries(failure).filter(([name]) => told.has(name))
  const body = { type: `about:blank#${code}`, title, status, code, ...Object.fromEntries(fields) }
  const headers = new Headers({ "content-type": "application/problem+json" })
  if (status === 503) headers.set("retry-after", "1")
  if (status === 401) headers.set("www-authenticate", "Bearer")
  return new Response(JSON.stringify(body), { status, headers })
}
