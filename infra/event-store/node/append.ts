/** The `Append` call: one append, its events streamed in. */
import shared from "@eventstore/db-client/generated/shared_pb.js"
import streams from "@eventstore/db-client/generated/streams_pb.js"
import type { ServerReadableStream, sendUnaryData } from "@grpc/grpc-js"
import type { Expectation, Outcome } from "./appender.ts"
import { failureOf } from "./calls.ts"
import { appendTooLarge, badRequest, MAX_APPEND_BYTES, streamDeleted } from "./failures.ts"
import type { Proposed } from "./record.ts"
import { expectationOf, nameOf, proposedOf, sizeOf } from "./wire.ts"
import type { Writer } from "./writer.ts"

const appendAnswer = (expected: Expectation, outcome: Exclude<Outcome, { _tag: "Tombstoned" }>) => {
  const answer = new streams.AppendResp()
  if (outcome._tag === "Written") {
    const position = new streams.AppendResp.Position()
    position.setCommitPosition(String(outcome.position))
    position.setPreparePosition(String(outcome.position))
    const success = new streams.AppendResp.Success()
    success.setCurrentRevision(String(outcome.revision))
    success.setPosition(position)
    answer.setSuccess(success)
    return answer
  }
  const wrong = new streams.AppendResp.WrongExpectedVersion()
  if (outcome.actual < 0) wrong.setCurrentNoStream(new shared.Empty())
  else wrong.setCurrentRevision(String(outcome.actual))
  if (typeof expected === "number") wrong.setExpectedRevision(String(expected))
  if (expected === "any") wrong.setExpectedAny(new shared.Empty())
  if (expected === "none") wrong.setExpectedNoStream(new shared.Empty())
  if (expected === "exists") wrong.setExpectedStreamExists(new shared.Empty())
  answer.setWrongExpectedVersion(wrong)
  return answer
}

export const appendWith =
  (writer: Writer) =>
  (
    call: ServerReadableStream<streams.AppendReq, streams.AppendResp>,
    answer: sendUnaryData<streams.AppendResp>,
  ) => {
    const events: Array<Proposed> = []
    let byteLength = 0
    let stream: string | undefined
    let expected: Expectation = "any"
    let hasFailed = false
    const fail = (cause: unknown) => {
      if (!hasFailed) answer(failureOf(cause))
      hasFailed = true
    }

    const take = (request: streams.AppendReq) => {
      const options = request.getOptions()
      if (options !== undefined) {
        stream = nameOf(options.getStreamIdentifier())
        expected = expectationOf(options, () => options.getRevision())
      }
      const proposed = request.getProposedMessage()
      if (proposed === undefined) return
      const event = proposedOf(proposed)
      byteLength += sizeOf([event])
      if (byteLength > MAX_APPEND_BYTES) throw appendTooLarge()
      events.push(event)
    }

    const finish = async () => {
      const name = stream
      if (name === undefined) throw badRequest("an append names its stream first")
      const outcome = await writer.submit((log) => log.append(name, expected, events))
      if (outcome._tag === "Tombstoned") throw streamDeleted(name)
      answer(null, appendAnswer(expected, outcome))
    }

    call.on("data", (request: streams.AppendReq) => {
      if (hasFailed) return
      try {
        take(request)
      } catch (cause) {
        fail(cause)
      }
    })
    call.on("end", () => {
      if (!hasFailed) finish().catch(fail)
    })
    call.on("error", () => undefined)
  }
