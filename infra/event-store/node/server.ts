/** The node: one SQLite file behind EventStoreDB's gRPC services. */
import type { Http2Server } from "node:http2"
import operationServices from "@eventstore/db-client/generated/operations_grpc_pb.js"
import groupServices from "@eventstore/db-client/generated/persistent_grpc_pb.js"
import featureServices from "@eventstore/db-client/generated/serverfeatures_grpc_pb.js"
import streamServices from "@eventstore/db-client/generated/streams_grpc_pb.js"
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js"
import { appendWith } from "./append.ts"
import { openAppender } from "./appender.ts"
import { batchAppendWith } from "./batch-append.ts"
import { passBuffer } from "./calls.ts"
import { openDatabase } from "./database.ts"
import { deleteWith, tombstoneWith } from "./delete.ts"
import { getSupportedMethods } from "./features.ts"
import { groupCalls } from "./group-calls.ts"
import { openGroups } from "./groups.ts"
import { pokeStalledWrites } from "./http2-stall.ts"
import { operationCalls } from "./operations.ts"
import { openReader } from "./reader.ts"
import { openReading } from "./reading.ts"
import { openScavenger } from "./scavenge.ts"
import { openTail } from "./tail.ts"
import { openWriter } from "./writer.ts"

export interface Node {
  readonly port: number
  /** Ends every call, commits what waits and closes the log. */
  readonly stop: () => Promise<void>
}

const MAX_MESSAGE_BYTES = 17 * 1024 * 1024
const DRAIN_MILLIS = 2000
const SCAVENGE_EVERY_MILLIS = 10 * 60_000

/** The generated definitions, but for answers that are encoded here. */
const encodedHere = <Definition extends ServiceDefinition & { readonly read: unknown }>(
  definition: Definition,
): ServiceDefinition => ({
  ...definition,
  read: { ...(definition.read as ServiceDefinition[string]), responseSerialize: passBuffer },
})

const http2ServersOf = (server: Server) => [
  ...(Reflect.get(server, "http2Servers") as Map<Http2Server, unknown>).keys(),
]

const bind = (server: Server, address: string) =>
  new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })

const shutDown = (server: Server) =>
  new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, DRAIN_MILLIS)
    server.tryShutdown(() => {
      clearTimeout(force)
      resolve()
    })
  })

export const startNode = async (options: {
  readonly listen: string
  readonly directory: string
}): Promise<Node> => {
  const db = openDatabase(options.directory)
  const reader = openReader(db)
  const appender = openAppender(db, reader)
  const tail = openTail(reader)
  const writer = openWriter(db, appender, tail)
  const groups = openGroups(db, reader, tail, writer)
  const scavenge = openScavenger(db, tail, writer)
  const stopping = new AbortController()

  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  })
  server.addService(encodedHere(streamServices.StreamsService), {
    read: openReading(reader, tail, stopping.signal),
    append: appendWith(writer),
    batchAppend: batchAppendWith(writer, stopping.signal),
    delete: deleteWith(writer),
    tombstone: tombstoneWith(writer),
  })
  server.addService(
    encodedHere(groupServices.PersistentSubscriptionsService),
    groupCalls(groups, reader, tail),
  )
  server.addService(operationServices.OperationsService, operationCalls(scavenge, groups))
  server.addService(featureServices.ServerFeaturesService, { getSupportedMethods })
  const port = await bind(server, options.listen)
  for (const http2 of http2ServersOf(server)) pokeStalledWrites(http2)
  const scavenging = setInterval(() => scavenge().catch(() => 0), SCAVENGE_EVERY_MILLIS)

  const stop = async () => {
    clearInterval(scavenging)
    const drained = shutDown(server)
    stopping.abort()
    await groups.closeAll()
    await drained
    writer.drain()
    db.close()
  }

  return { port, stop }
}
