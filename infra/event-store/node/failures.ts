/** Refusals as the real server words them: a gRPC status whose `exception` the client reads. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js"

const failure = (
  code: status,
  details: string,
  exception: string | undefined,
  fields: Readonly<Record<string, string>> = {},
): ServiceError => {
  const metadata = new Metadata()
  if (exception !== undefined) metadata.set("exception", exception)
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value)
  return Object.assign(new Error(details), { code, details, metadata })
}

export const MAX_APPEND_BYTES = 1024 * 1024

export const streamDeleted = (stream: string) =>
  failure(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, "stream-deleted", {
    "stream-name": stream,
  })

/** Expected revisions that are no number go by the numbers of the old protocol. */
export const wrongRevision = (stream: string, expected: number, actual: number) =>
  failure(
    status.FAILED_PRECONDITION,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    "wrong-expected-version",
    {
      "stream-name": stream,
      "expected-version": String(expected),
      ...(actual >= 0 && { "actual-version": String(actual) }),
    },
  )

export const appendTooLarge = () =>
  failure(
    status.INVALID_ARGUMENT,
    `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`,
    "maximum-append-size-exceeded",
    { "maximum-append-size": String(MAX_APPEND_BYTES) },
  )

export const badRequest = (details: string) => failure(status.INVALID_ARGUMENT, details, undefined)
export const unavailable = (details: string) => failure(status.UNAVAILABLE, details, undefined)
export const internal = (cause: unknown) => failure(status.INTERNAL, String(cause), undefined)

const ofGroup = (stream: string, group: string) => ({ "stream-name": stream, "group-name": group })

export const groupMissing = (stream: string, group: string) =>
  failure(
    status.NOT_FOUND,
    `Subscription group ${group} on stream ${stream} does not exist.`,
    "persistent-subscription-does-not-exist",
    ofGroup(stream, group),
  )

export const groupExists = (stream: string, group: string) =>
  failure(
    status.ALREADY_EXISTS,
    `Subscription group ${group} on stream ${stream} exists.`,
    "persistent-subscription-exists",
    ofGroup(stream, group),
  )

export const groupDropped = (stream: string, group: string) =>
  failure(
    status.CANCELLED,
    `Subscription group ${group} on stream ${stream} was dropped.`,
    "persistent-subscription-dropped",
    ofGroup(stream, group),
  )

export const groupIsFull = (stream: string, group: string) =>
  failure(
    status.FAILED_PRECONDITION,
    `Maximum subscriptions reached for subscription group ${group} on stream ${stream}.`,
    "maximum-subscribers-reached",
    ofGroup(stream, group),
  )
