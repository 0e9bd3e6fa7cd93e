/**
 * The event store process. Environment: `REELOG_EVENTSTORE_LISTEN` (host:port, port 0 for a free one),
 * `REELOG_EVENTSTORE_DATA` (directory), `REELOG_PARENT_PID` (ends when that process is gone). Tells on its
 * standard output, in one line of JSON, where it listens.
 */
import { startNode } from "./server.ts"

const { env } = process
const listen = env.REELOG_EVENTSTORE_LISTEN ?? "127.0.0.1:2113"
const directory = env.REELOG_EVENTSTORE_DATA ?? ".reelog/event-store"
const parent = env.REELOG_PARENT_PID

const PARENT_CHECK_MILLIS = 1000

const node = await startNode({ listen, directory })
const host = listen.slice(0, listen.lastIndexOf(":"))
process.stdout.write(`${JSON.stringify({ ready: `esdb://${host}:${node.port}?tls=false` })}\n`)

let isStopping = false
const stop = async () => {
  if (isStopping) return
  isStopping = true
  await node.stop()
  process.exit(0)
}
process.on("SIGTERM", stop)
process.on("SIGINT", stop)

if (parent !== undefined)
  setInterval(() => {
    if (process.ppid !== Number(parent)) stop()
  }, PARENT_CHECK_MILLIS)
