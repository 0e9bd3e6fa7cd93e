/** The `Delete` call, after which a stream may be written again, and `Tombstone`, after which it may not. */
import streams from "@eventstore/db-client/generated/streams_pb.js"
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js"
import type { Expectation, Outcome } from "./appender.ts"
import { failureOf } from "./calls.ts"
import { badRequest, streamDeleted, wrongRevision } from "./failures.ts"
import { expectationOf, nameOf, oldNumberOf } from "./wire.ts"
import type { Writer } from "./writer.ts"

const positioned = <
  Answer extends { setPosition: (position: Position) => unknown },
  Position extends {
    setCommitPosition: (text: string) => unknown
    setPreparePosition: (text: string) => unknown
  },
>(
  answer: Answer,
  position: Position,
  at: number,
) => {
  position.setCommitPosition(String(at))
  position.setPreparePosition(String(at))
  answer.setPosition(position)
  return answer
}

const positionOf = (stream: string, expected: Expectation, outcome: Outcome) => {
  if (outcome._tag === "Tombstoned") throw streamDeleted(stream)
  if (outcome._tag === "WrongRevision")
    throw wrongRevision(stream, oldNumberOf(expected), outcome.actual)
  return outcome.position
}

const targetOf = (
  options: streams.DeleteReq.Options | streams.TombstoneReq.Options | undefined,
) => {
  if (options === undefined) throw badRequest("a delete names its stream")
  const stream = nameOf(options.getStreamIdentifier())
  return { stream, expected: expectationOf(options, () => options.getRevision()) }
}

export const deleteWith =
  (writer: Writer) =>
  async (
    call: ServerUnaryCall<streams.DeleteReq, streams.DeleteResp>,
    answer: sendUnaryData<streams.DeleteResp>,
  ) => {
    try {
      const { stream, expected } = targetOf(call.request.getOptions())
      const outcome = await writer.submit((log) => log.softlyDelete(stream, expected))
      const at = positionOf(stream, expected, outcome)
      answer(null, positioned(new streams.DeleteResp(), new streams.DeleteResp.Position(), at))
    } catch (cause) {
      answer(failureOf(cause))
    }
  }

export const tombstoneWith =
  (writer: Writer) =>
  async (
    call: ServerUnaryCall<streams.TombstoneReq, streams.TombstoneResp>,
    answer: sendUnaryData<streams.TombstoneResp>,
  ) => {
    try {
      const { stream, expected } = targetOf(call.request.getOptions())
      const outcome = await writer.submit((log) => log.tombstone(stream, expected))
      const at = positionOf(stream, expected, outcome)
      answer(
        null,
        positioned(new streams.TombstoneResp(), new streams.TombstoneResp.Position(), at),
      )
    } catch (cause) {
      answer(failureOf(cause))
    }
  }
