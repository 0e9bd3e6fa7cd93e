import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import { appendFileSync, existsSync, statSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { EventStoreDBClient, jsonEvent } from "@eventstore/db-client"
import operationServices from "@eventstore/db-client/generated/operations_grpc_pb.js"
import operations from "@eventstore/db-client/generated/operations_pb.js"
import { credentials } from "@grpc/grpc-js"
import { spawnNode, type TestNode } from "./testing.ts"

let node: TestNode
let client: EventStoreDBClient
beforeEach(async () => {
  node = await spawnNode()
  client = EventStoreDBClient.connectionString(node.url)
})
afterEach(async () => {
  await client.dispose()
  await node.dispose()
})

const write = async (stream: string, count: number) => {
  for (let n = 0; n < count; n++)
    await client.appendToStream(stream, jsonEvent({ type: "Happened", data: { n } }))
}

const numbersIn = async (stream: string) => {
  const fresh = EventStoreDBClient.connectionString(node.url)
  const numbers: Array<unknown> = []
  for await (const { event } of fresh.readStream<ReturnType<typeof happened>>(stream))
    numbers.push(event?.data.n)
  await fresh.dispose()
  return numbers
}
const happened = (n: number) => ({ type: "Happened" as const, data: { n } })

const wal = () => join(node.directory, "events.sqlite-wal")
const numbers = (count: number) => [...Array(count).keys()]

test("what was acknowledged survives a kill, with rubbish at the end of the log", async () => {
  await write("kept", 20)
  await node.kill()
  expect(existsSync(wal())).toBe(true)
  appendFileSync(wal(), crypto.getRandomValues(new Uint8Array(5000)))
  await node.start()
  expect(await numbersIn("kept")).toEqual(numbers(20))
})

test("a torn tail costs the torn commit and nothing before it", async () => {
  await write("torn", 20)
  await node.kill()
  truncateSync(wal(), statSync(wal()).size - 100)
  await node.start()
  expect(await numbersIn("torn")).toEqual(numbers(19))
})

test("a second node on the same directory does not start", async () => {
  const second = Bun.spawn([process.execPath, join(import.meta.dir, "main.ts")], {
    env: {
      ...process.env,
      REELOG_EVENTSTORE_LISTEN: "127.0.0.1:0",
      REELOG_EVENTSTORE_DATA: node.directory,
    },
    stdout: "ignore",
    stderr: "pipe",
  })
  expect(await second.exited).toBe(1)
  expect(await new Response(second.stderr).text()).toContain("is used by another node")
})

test("the node ends when its parent does", async () => {
  const main = join(import.meta.dir, "main.ts")
  const parent = Bun.spawn(
    ["sh", "-c", `REELOG_PARENT_PID=$$ "${process.execPath}" "${main}" & wait`],
    {
      env: {
        ...process.env,
        REELOG_EVENTSTORE_LISTEN: "127.0.0.1:0",
        REELOG_EVENTSTORE_DATA: join(node.directory, "orphan"),
      },
      stdout: "pipe",
    },
  )
  const output = parent.stdout.getReader()
  await output.read()
  parent.kill("SIGKILL")
  // The pipe ends when the node, its last writer, is gone.
  const { done } = await output.read()
  expect(done).toBe(true)
})

test("scavenging deletes what is hidden from every reader, and no more", async () => {
  await write("limited", 10)
  await write("free", 3)
  await client.setStreamMetadata("limited", { maxCount: 2 })
  const { host } = new URL(node.url.replace("esdb:", "http:"))
  const api = new operationServices.OperationsClient(host, credentials.createInsecure())
  const request = new operations.StartScavengeReq()
  request.setOptions(new operations.StartScavengeReq.Options())
  const started = await new Promise<operations.ScavengeResp>((resolve, reject) => {
    api.startScavenge(request, (error, answer) => (error ? reject(error) : resolve(answer)))
  })
  expect(started.getScavengeId()).not.toBe("")
  expect(await numbersIn("limited")).toEqual([8, 9])
  api.close()
  await node.kill("SIGTERM")
  const db = new Database(join(node.directory, "events.sqlite"))
  const { count } = db
    .query<{ count: number }, []>("SELECT COUNT(*) AS count FROM events WHERE type = 'Happened'")
    .get() ?? { count: 0 }
  db.close()
  expect(count).toBe(5)
  await node.start()
  expect(await numbersIn("free")).toEqual([0, 1, 2])
})
