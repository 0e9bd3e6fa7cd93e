/** The `BatchAppend` call: many appends over one stream of messages, answered as each is committed. */
import shared from "@eventstore/db-client/generated/shared_pb.js"
import statuses from "@eventstore/db-client/generated/status_pb.js"
import streams from "@eventstore/db-client/generated/streams_pb.js"
import type { ServerDuplexStream } from "@grpc/grpc-js"
import google from "google-protobuf/google/protobuf/any_pb.js"
import googleEmpty from "google-protobuf/google/protobuf/empty_pb.js"
import type { Expectation, Outcome } from "./appender.ts"
import { failureOf } from "./calls.ts"
import { badRequest, MAX_APPEND_BYTES, unavailable } from "./failures.ts"
import type { Proposed } from "./record.ts"
import { expectationOf, identifierOf, nameOf, proposedOf, sizeOf, uuidOf } from "./wire.ts"
import type { Writer } from "./writer.ts"

interface Batch {
  readonly stream: string
  readonly expected: Expectation
  readonly deadline: number
  readonly events: Array<Proposed>
}

type Late = { readonly _tag: "Late" }
type BatchOutcome = Outcome | Late | { readonly _tag: "TooLarge" }

const UNKNOWN = 2
/** A client that has this many appends waiting is read no further. */
const MAX_RUNNING = 1024

const detail = (message: { serializeBinary: () => Uint8Array }, name: string, text: string) => {
  const any = new google.Any()
  any.pack(message.serializeBinary(), `event_store.client.${name}`)
  const status = new statuses.Status()
  status.setCode(UNKNOWN)
  status.setMessage(text)
  status.setDetails(any)
  return status
}

const wrongExpected = (expected: Expectation, actual: number) => {
  const wrong = new shared.WrongExpectedVersion()
  if (actual < 0) wrong.setCurrentNoStream(new googleEmpty.Empty())
  else wrong.setCurrentStreamRevision(String(actual))
  if (typeof expected === "number") wrong.setExpectedStreamPosition(String(expected))
  if (expected === "any") wrong.setExpectedAny(new googleEmpty.Empty())
  if (expected === "none") wrong.setExpectedNoStream(new googleEmpty.Empty())
  if (expected === "exists") wrong.setExpectedStreamExists(new googleEmpty.Empty())
  return wrong
}

const batchError = (batch: Batch, outcome: Exclude<BatchOutcome, { _tag: "Written" }>) => {
  switch (outcome._tag) {
    case "WrongRevision":
      return detail(
        wrongExpected(batch.expected, outcome.actual),
        "WrongExpectedVersion",
        "wrong expected version",
      )
    case "Tombstoned": {
      const deleted = new shared.StreamDeleted()
      deleted.setStreamIdentifier(identifierOf(batch.stream))
      return detail(deleted, "StreamDeleted", "stream deleted")
    }
    case "TooLarge": {
      const tooLarge = new shared.MaximumAppendSizeExceeded()
      tooLarge.setMaxappendsize(MAX_APPEND_BYTES)
      return detail(tooLarge, "MaximumAppendSizeExceeded", "append too large")
    }
    case "Late":
      return detail(new shared.Timeout(), "Timeout", "deadline exceeded")
  }
}

const batchAnswer = (
  correlationId: shared.UUID | undefined,
  batch: Batch,
  outcome: BatchOutcome,
) => {
  const answer = new streams.BatchAppendResp()
  answer.setCorrelationId(correlationId)
  answer.setStreamIdentifier(identifierOf(batch.stream))
  if (typeof batch.expected === "number") answer.setStreamPosition(String(batch.expected))
  if (batch.expected === "any") answer.setAny(new googleEmpty.Empty())
  if (batch.expected === "none") answer.setNoStream(new googleEmpty.Empty())
  if (batch.expected === "exists") answer.setStreamExists(new googleEmpty.Empty())
  if (outcome._tag !== "Written") {
    answer.setError(batchError(batch, outcome))
    return answer
  }
  const position = new shared.AllStreamPosition()
  position.setCommitPosition(String(outcome.position))
  position.setPreparePosition(String(outcome.position))
  const success = new streams.BatchAppendResp.Success()
  success.setCurrentRevision(String(outcome.revision))
  success.setPosition(position)
  answer.setSuccess(success)
  return answer
}

const batchOf = (options: streams.BatchAppendReq.Options | undefined): Batch => {
  if (options === undefined) throw badRequest("a batch names its stream first")
  const deadline = options.getDeadline()
  return {
    stream: nameOf(options.getStreamIdentifier()),
    expected: expectationOf(options, () => options.getStreamPosition()),
    deadline: deadline?.toDate().getTime() ?? Number.POSITIVE_INFINITY,
    events: [],
  }
}

export const batchAppendWith =
  (writer: Writer, stopping: AbortSignal) =>
  (call: ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>) => {
    const open = new Map<string, Batch>()
    let running = 0
    let isEnded = false

    const finish = async (correlationId: shared.UUID | undefined, batch: Batch) => {
      running += 1
      if (running >= MAX_RUNNING) call.pause()
      const outcome =
        sizeOf(batch.events) > MAX_APPEND_BYTES
          ? ({ _tag: "TooLarge" } as const)
          : await writer.submit((log) =>
              Date.now() > batch.deadline
                ? ({ _tag: "Late" } as const)
                : log.append(batch.stream, batch.expected, batch.events),
            )
      running -= 1
      if (running < MAX_RUNNING) call.resume()
      call.write(batchAnswer(correlationId, batch, outcome))
      if (isEnded && running === 0) call.end()
    }

    const fail = (cause: unknown) => call.emit("error", failureOf(cause))

    const take = (request: streams.BatchAppendReq) => {
      const correlationId = uuidOf(request.getCorrelationId())
      const batch = open.get(correlationId) ?? batchOf(request.getOptions())
      open.set(correlationId, batch)
      for (const message of request.getProposedMessagesList())
        batch.events.push(proposedOf(message))
      if (!request.getIsFinal()) return
      open.delete(correlationId)
      finish(request.getCorrelationId(), batch).catch((cause) =>
        fail(unavailable(`the log could not be written: ${cause}`)),
      )
    }

    call.on("data", (request: streams.BatchAppendReq) => {
      try {
        take(request)
      } catch (cause) {
        fail(cause)
      }
    })
    call.on("end", () => {
      isEnded = true
      if (running === 0) call.end()
    })
    const cease = () => fail(unavailable("the node is shutting down"))
    stopping.addEventListener("abort", cease, { once: true })
    call.on("close", () => stopping.removeEventListener("abort", cease))
    call.on("error", () => undefined)
  }
