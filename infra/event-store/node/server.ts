/** The node: one SQLite file behind EventStoreDB's gRPC services. */
import type { Http2Server } from "node:http2"
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
import { pokeStalledWrites } from "./http2-stall.ts"
import { openReader } from "./reader.ts"
import { openReading } from "./reading.ts"
import { openTail } from "./tail.ts"
import { openWriter } from "./writer.ts"

export interface Node {
  readonly port: number
  /** Commits what waits, ends every call and closes the log. */
  readonly stop: () => Promise<void>
}

const MAX_MESSAGE_BYTES = 17 * 1024 * 1024
const DRAIN_MILLIS = 3000

/** The generated definition, but for answers that are encoded here. */
const streamsService: ServiceDefinition = {
  ...streamServices.StreamsService,
  read: { ...streamServices.StreamsService.read, responseSerialize: passBuffer },
}

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

  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  })
  server.addService(streamsService, {
    read: openReading(reader, tail),
    append: appendWith(writer),
    batchAppend: batchAppendWith(writer),
    delete: deleteWith(writer),
    tombstone: tombstoneWith(writer),
  })
  server.addService(featureServices.ServerFeaturesService, { getSupportedMethods })
  const port = await bind(server, options.listen)
  for (const http2 of http2ServersOf(server)) pokeStalledWrites(http2)

  const stop = async () => {
    await shutDown(server)
    writer.drain()
    db.close()
  }

  return { port, stop }
}
