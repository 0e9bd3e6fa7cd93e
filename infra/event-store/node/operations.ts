/** The `Operations` service, as far as it makes sense on one node: scavenging and restarting the groups. */
import operations from "@eventstore/db-client/generated/operations_pb.js"
import shared from "@eventstore/db-client/generated/shared_pb.js"
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js"
import { failureOf } from "./calls.ts"
import type { Groups } from "./groups.ts"
import type { Scavenge } from "./scavenge.ts"

export const operationCalls = (scavenge: Scavenge, groups: Groups) => {
  let running: string | undefined

  const report = (id: string, result: operations.ScavengeResp.ScavengeResult) => {
    const answer = new operations.ScavengeResp()
    answer.setScavengeId(id)
    answer.setScavengeResult(result)
    return answer
  }
  const { STARTED, INPROGRESS, STOPPED } = operations.ScavengeResp.ScavengeResult

  const start = () => {
    if (running !== undefined) return report(running, INPROGRESS)
    const id = crypto.randomUUID()
    running = id
    const cease = () => {
      if (running === id) running = undefined
    }
    scavenge(() => running === id).then(cease, cease)
    return report(id, STARTED)
  }

  return {
    startScavenge: (
      _call: ServerUnaryCall<operations.StartScavengeReq, operations.ScavengeResp>,
      answer: sendUnaryData<operations.ScavengeResp>,
    ) => answer(null, start()),
    stopScavenge: (
      call: ServerUnaryCall<operations.StopScavengeReq, operations.ScavengeResp>,
      answer: sendUnaryData<operations.ScavengeResp>,
    ) => {
      const id = call.request.getOptions()?.getScavengeId() ?? ""
      if (running === id) running = undefined
      answer(null, report(id, STOPPED))
    },
    restartPersistentSubscriptions: async (
      _call: ServerUnaryCall<shared.Empty, shared.Empty>,
      answer: sendUnaryData<shared.Empty>,
    ) => {
      try {
        await groups.restart()
        answer(null, new shared.Empty())
      } catch (cause) {
        answer(failureOf(cause))
      }
    },
  }
}
