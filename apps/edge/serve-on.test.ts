import { expect, test } from "bun:test"
import { Effect } from "effect"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { serveOn } from "./serve-on.ts"
import { created, published, record, scenery, startEdge, videoId } from "./testing.ts"

const v = `/v/${videoId}`

/** A request as a hostile client writes it: `fetch` would tidy the path up. */
const statusOfRaw = (port: number, path: string) =>
  Effect.callback<number>((resume) => {
    let heard = ""
    const socket = Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (peer) => {
          peer.write(`GET ${path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`)
        },
        data: (_, bytes) => {
          heard += bytes.toString()
        },
        close: () => resume(Effect.succeed(Number(heard.split(" ")[1] ?? 0))),
      },
    })
    return Effect.promise(async () => (await socket).end())
  })

test("over a real port, files are sent whole, in ranges and as heads, and no path is answered 500", () => {
  const scene = scenery(memoryEventStore)
  scene.objects.set(`segments/${videoId}/1/240p/0.m4s`, new TextEncoder().encode("0123456789"))
  const story = Effect.gen(function* () {
    yield* record(created, published)
    const edge = yield* startEdge()
    const server = yield* serveOn({ hostname: "127.0.0.1", port: 0 }, edge.fetch)
    const ask = (path: string, init?: RequestInit) =>
      Effect.promise(async () => {
        const response = await fetch(new URL(path, server.url), init)
        return { response, text: await response.text() }
      })
    for (const _ of ["from the store", "from the disk"]) {
      const whole = yield* ask(`${v}/240p/0.m4s`)
      expect(whole.text).toBe("0123456789")
      expect(whole.response.headers.get("content-length")).toBe("10")
      const part = yield* ask(`${v}/240p/0.m4s`, { headers: { range: "bytes=2-4" } })
      expect(part.response.status).toBe(206)
      expect(part.response.headers.get("content-range")).toBe("bytes 2-4/10")
      expect(part.text).toBe("234")
    }
    const several = yield* ask(`${v}/240p/0.m4s`, { headers: { range: "bytes=0-1,3-4" } })
    expect(several.text).toBe("0123456789")
    const head = yield* ask(`${v}/240p/0.m4s`, { method: "HEAD" })
    expect(head.response.headers.get("content-length")).toBe("10")
    const preflight = yield* ask(`${v}/240p/0.m4s`, { method: "OPTIONS" })
    expect(preflight.response.status).toBe(204)
    expect((yield* ask(`${v}/main.m3u8`, { method: "POST" })).response.status).toBe(405)

    for (const path of [
      "/v/../../etc/passwd",
      "/v/%2e%2e/%2e%2e/etc/passwd",
      `${v}/images/..%2f..%2fkeys%2fowner`,
      `${v}//main.m3u8`,
      `${v}/%00`,
      `${v}/%ff%fe`,
      `${v}/${"a".repeat(5000)}`,
    ]) {
      expect([400, 404]).toContain(yield* statusOfRaw(Number(server.port), path))
    }

    expect((yield* ask("/healthz")).text).toBe('{"status":"alive"}')
    expect((yield* ask("/readyz")).response.status).toBe(200)
    expect((yield* ask("/metrics")).text).toContain('reelog_edge_responses_total{status="206"} 2')
    scene.weather.objectStoreAway = true
    const unready = yield* ask("/readyz")
    expect(unready.response.status).toBe(503)
    expect(unready.text).toContain('"objectStore":"down"')
  })
  return Effect.runPromise(story.pipe(Effect.scoped, Effect.provide(scene.layer)))
})
