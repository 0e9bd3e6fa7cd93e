import { expect, test } from "bun:test"
import { once } from "node:events"
import http2, { type ServerHttp2Stream } from "node:http2"
import type { AddressInfo } from "node:net"
import { pokeStalledWrites } from "./http2-stall.ts"

const CHUNK = Buffer.alloc(16_384)
const STALL_MILLIS = 700

/** More than the reader's window takes. */
const fillUp = (stream: ServerHttp2Stream) => {
  for (let chunks = 0; chunks < 64; chunks++) stream.write(CHUNK)
}

/** One stream of a session is not read; how long the first bytes of another one take, or undefined. */
const timeOfOther = async (isPoked: boolean): Promise<number | undefined> => {
  const server = http2.createServer()
  if (isPoked) pokeStalledWrites(server)
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined)
    stream.respond({ ":status": 200 })
    if (headers[":path"] === "/slow") fillUp(stream)
    else setTimeout(() => stream.write(Buffer.from("news")), 50)
  })
  await once(server.listen(0, "127.0.0.1"), "listening")
  const { port } = server.address() as AddressInfo
  const client = http2.connect(`http://127.0.0.1:${port}`)
  const slow = client.request({ ":path": "/slow" })
  await once(slow, "response")
  slow.pause()
  await Bun.sleep(200)
  const began = performance.now()
  const other = client.request({ ":path": "/other" })
  const arrived = once(other, "data").then(() => performance.now() - began)
  const waited = await Promise.race([arrived, Bun.sleep(STALL_MILLIS)])
  client.destroy()
  server.close()
  return waited ?? undefined
}

test("a slow reader does not hold up the other streams of its session", async () => {
  expect(await timeOfOther(true)).toBeLessThan(STALL_MILLIS)
})

// When this fails, Bun flushes by itself and `http2-stall.ts` can go.
test("without the poke, Bun still lets a slow reader stall its session", async () => {
  expect(await timeOfOther(false)).toBeUndefined()
})
