/** The `PersistentSubscriptions` service. */
import persistent from "@eventstore/db-client/generated/persistent_pb.js"
import shared from "@eventstore/db-client/generated/shared_pb.js"
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js"
import { failureOf } from "./calls.ts"
import type { Consumer } from "./consumer.ts"
import { numberOf } from "./cursor.ts"
import { encodeConfirmation } from "./encode.ts"
import { badRequest, groupDropped, groupIsFull } from "./failures.ts"
import type { OpenGroup } from "./group.ts"
import { openGroupInfo } from "./group-info.ts"
import { ALL, settingsIn } from "./group-settings.ts"
import type { Groups } from "./groups.ts"
import type { Reader } from "./reader.ts"
import type { Tail } from "./tail.ts"
import { nameOf, uuidOf } from "./wire.ts"

type ReadCall = ServerDuplexStream<persistent.ReadReq, Buffer>

const DEFAULT_BUFFER = 10

interface Target {
  readonly hasAll: () => boolean
  readonly getStreamIdentifier: () => shared.StreamIdentifier | undefined
  readonly getGroupName: () => string
}

const targetOf = (options: Target | undefined) => {
  if (options === undefined) throw badRequest("which group?")
  const source = options.hasAll() ? ALL : nameOf(options.getStreamIdentifier())
  return { source, name: options.getGroupName() }
}

const unary =
  <Request, Answer>(carryOut: (request: Request) => Answer | Promise<Answer>) =>
  async (call: ServerUnaryCall<Request, Answer>, answer: sendUnaryData<Answer>) => {
    try {
      answer(null, await carryOut(call.request))
    } catch (cause) {
      answer(failureOf(cause))
    }
  }

const consumerOf = (call: ReadCall, capacity: number): Consumer => ({
  id: crypto.randomUUID(),
  peer: call.getPeer(),
  connectionName: String(call.metadata.get("connection-name")[0] ?? ""),
  capacity: capacity > 0 ? capacity : DEFAULT_BUFFER,
  write: (message) => {
    call.write(message)
  },
  end: (failure) => {
    call.emit("error", failure)
  },
  inFlight: 0,
  total: 0,
})

const answerTo = (group: OpenGroup, consumer: Consumer, request: persistent.ReadReq) => {
  const ack = request.getAck()
  if (ack !== undefined) group.ack(ack.getIdsList().map(uuidOf))
  const nack = request.getNack()
  if (nack === undefined) return
  const ids = nack.getIdsList().map(uuidOf)
  const { PARK, SKIP, STOP } = persistent.ReadReq.Nack.Action
  switch (nack.getAction()) {
    case PARK:
      return group.park(ids, nack.getReason())
    case SKIP:
      return group.ack(ids)
    case STOP: {
      group.retry(ids, nack.getReason())
      group.leave(consumer)
      return consumer.end(groupDropped(group.settings.source, group.settings.name))
    }
    default:
      return group.retry(ids, nack.getReason())
  }
}

const readWith = (groups: Groups) => (call: ReadCall) => {
  let joined: { readonly group: OpenGroup; readonly consumer: Consumer } | undefined

  const join = (options: persistent.ReadReq.Options) => {
    const { source, name } = targetOf(options)
    const group = groups.find(source, name)
    if (group.isFull()) throw groupIsFull(source, name)
    const consumer = consumerOf(call, options.getBufferSize())
    joined = { group, consumer }
    call.write(encodeConfirmation(`${name}::${source}`))
    group.join(consumer)
  }

  const leave = () => {
    joined?.group.leave(joined.consumer)
    joined = undefined
  }

  call.on("data", (request: persistent.ReadReq) => {
    try {
      const options = request.getOptions()
      if (options !== undefined) join(options)
      else if (joined !== undefined) answerTo(joined.group, joined.consumer, request)
    } catch (cause) {
      call.emit("error", failureOf(cause))
    }
  })
  call.on("end", () => {
    leave()
    call.end()
  })
  call.on("cancelled", leave)
  call.on("close", leave)
  call.on("error", leave)
}

export const groupCalls = (groups: Groups, reader: Reader, tail: Tail) => {
  const infoOf = openGroupInfo(reader, tail)

  const list = (request: persistent.ListReq) => {
    const forStream = request.getOptions()?.getListForStream()
    const source = forStream?.hasAll() ? ALL : forStream && nameOf(forStream.getStream())
    const answer = new persistent.ListResp()
    answer.setSubscriptionsList(
      groups
        .list()
        .filter(({ settings }) => source === undefined || settings.source === source)
        .map(infoOf),
    )
    return answer
  }

  return {
    read: readWith(groups),
    create: unary(async (request: persistent.CreateReq) => {
      await groups.create(settingsIn(request))
      return new persistent.CreateResp()
    }),
    update: unary(async (request: persistent.UpdateReq) => {
      await groups.update(settingsIn(request))
      return new persistent.UpdateResp()
    }),
    delete: unary(async (request: persistent.DeleteReq) => {
      const { source, name } = targetOf(request.getOptions())
      await groups.drop(source, name)
      return new persistent.DeleteResp()
    }),
    getInfo: unary((request: persistent.GetInfoReq) => {
      const { source, name } = targetOf(request.getOptions())
      const answer = new persistent.GetInfoResp()
      answer.setSubscriptionInfo(infoOf(groups.find(source, name)))
      return answer
    }),
    replayParked: unary((request: persistent.ReplayParkedReq) => {
      const options = request.getOptions()
      const { source, name } = targetOf(options)
      const stopAt = options?.hasStopAt() ? numberOf(options.getStopAt()) : undefined
      groups.find(source, name).replayParked(stopAt)
      return new persistent.ReplayParkedResp()
    }),
    list: unary(list),
    restartSubsystem: unary(async (_: shared.Empty) => {
      await groups.restart()
      return new shared.Empty()
    }),
  }
}
