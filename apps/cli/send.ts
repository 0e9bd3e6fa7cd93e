/**
 * Sends the parts of a file: four at a time, the index first, each retried alone; what has arrived
 * is reported in batches while the rest is on its way, so that encoding begins before the last byte.
 */
import { type Cause, Effect, Queue, Schedule, Schema, Stream } from "effect"
import { Api, type PartToSend, type SentPart } from "./api.ts"
import { type Problem, problem } from "./problem.ts"

export interface Sending {
  readonly videoId: string
  readonly file: Blob
  /** Numbers of the parts that go first. */
  readonly first: ReadonlyArray<number>
}

const AT_ONCE = 4
/** A part may take as long as it does at this speed. */
const SLOWEST_BYTES_PER_SECOND = 16 * 1024
const GRACE_SECONDS = 60
const MOST_ROUNDS = 20

/** Nobody knows how it ended: send it again. */
class PartUnsent extends Schema.TaggedError<PartUnsent>()("PartUnsent", {
  number: Schema.Int,
  status: Schema.Int,
}) {}

/** Its URL is no longer good; the next round has a fresh one. */
class UrlExpired extends Schema.TaggedError<UrlExpired>()("UrlExpired", {
  number: Schema.Int,
}) {}

const aMomentLater = Schedule.min([
  Schedule.exponential("200 millis"),
  Schedule.spaced("5 seconds"),
]).pipe(Schedule.jittered, Schedule.upTo({ times: 10 }))

const bytesOf = Effect.fnUntraced(function* (file: Blob, { offset, length }: PartToSend) {
  const changed = problem("file_changed", "The file changed while it was being sent")
  const bytes = yield* Effect.tryPromise({
    try: () => file.slice(offset, offset + length).arrayBuffer(),
    catch: () => changed,
  })
  return bytes.byteLength === length ? new Uint8Array(bytes) : yield* changed
})

const put = Effect.fnUntraced(function* (file: Blob, part: PartToSend) {
  const { number, url, headers, length } = part
  const bytes = yield* bytesOf(file, part)
  const response = yield* Effect.tryPromise({
    try: async (signal) => {
      const seconds = GRACE_SECONDS + length / SLOWEST_BYTES_PER_SECOND
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])
      const answered = await fetch(url, { method: "PUT", body: bytes, headers, signal: deadline })
      return { answered, text: await answered.text() }
    },
    catch: () => new PartUnsent({ number, status: 0 }),
  })
  const { ok, status, headers: told } = response.answered
  if (status === 403) return yield* new UrlExpired({ number })
  if (status >= 500 || status === 408 || status === 429) {
    return yield* new PartUnsent({ number, status })
  }
  // 412: these bytes are there already, from a try whose answer was lost; their ETag is not told.
  if (!ok && status !== 412) {
    return yield* problem("part_refused", "The object store refused a part", { number, status })
  }
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
  return { number, etag: told.get("etag") ?? "*", sha256 } satisfies SentPart
})

const indexFirst = (parts: ReadonlyArray<PartToSend>, first: ReadonlyArray<number>) => {
  const isFirst = ({ number }: PartToSend) => first.includes(number)
  return [...parts.filter(isFirst), ...parts.filter((part) => !isFirst(part))]
}

/** Answers how many went up; a part whose URL has expired is left for the next round. */
const sendRound = Effect.fnUntraced(function* (
  { videoId, file, first }: Sending,
  parts: ReadonlyArray<PartToSend>,
) {
  const api = yield* Api
  const arrived = yield* Queue.unbounded<SentPart, Problem | Cause.Done>()
  let count = 0
  const sendOne = (part: PartToSend) =>
    put(file, part).pipe(
      Effect.retry({ while: ({ _tag }) => _tag === "PartUnsent", schedule: aMomentLater }),
      Effect.tap((told) => Queue.offer(arrived, told)),
      Effect.tap(() =>
        Effect.sync(() => {
          count += 1
        }),
      ),
      Effect.catchTags({
        UrlExpired: () => Effect.void,
        PartUnsent: ({ number, status }) => {
          const title = "A part could not be sent to the object store"
          return Effect.fail(problem("part_not_sent", title, { number, status }))
        },
      }),
    )
  const sending = Effect.forEach(indexFirst(parts, first), sendOne, {
    concurrency: AT_ONCE,
    discard: true,
  }).pipe(Effect.ensuring(Queue.end(arrived)))
  // While one report is under way the next batch gathers by itself.
  const reporting = Stream.fromQueue(arrived).pipe(
    Stream.chunks,
    Stream.runForEach((batch) =>
      api.reportParts(videoId, batch).pipe(
        // Nothing of the batch is recorded; the next round finds out what has to be sent again.
        Effect.catchIf(
          ({ code }) => code === "part_hash_differs",
          () => Effect.void,
        ),
      ),
    ),
  )
  yield* Effect.all([sending, reporting], { concurrency: 2, discard: true })
  return count
})

/** Until no part is missing. `missing`: what the platform has just said, to spare a question. */
export const sendParts = Effect.fn("sendParts")(function* (
  sending: Sending,
  missing: ReadonlyArray<PartToSend>,
) {
  const api = yield* Api
  let left = missing
  for (let round = 0; left.length > 0; round += 1) {
    const count = yield* sendRound(sending, left)
    if (count === 0 || round === MOST_ROUNDS) {
      return yield* problem("part_not_sent", "The object store takes no more parts")
    }
    left = (yield* api.upload(sending.videoId)).missing
  }
})
