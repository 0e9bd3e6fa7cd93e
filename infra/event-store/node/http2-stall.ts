/**
 * Bun's http2 server queues a frame whenever any stream of the session has frames queued, and flushes the queue only
 * when the peer sends something: one slow reader stalls its whole connection. A PING makes the peer
 * answer. `http2-stall.int.test.ts` fails when Bun no longer needs this.
 */
import type { Http2Server, Http2Session, ServerHttp2Stream } from "node:http2"

type Write = (chunk: Uint8Array, done?: (error?: Error | null) => void) => boolean

const poke = (session: Http2Session | undefined) => {
  if (session === undefined || session.destroyed || session.closed) return
  session.ping(() => undefined)
}

const watch = (stream: ServerHttp2Stream) => {
  const write: Write = stream.write.bind(stream)
  const watched: Write = (chunk, done) => {
    let isWritten = false
    const more = write(chunk, (error) => {
      isWritten = true
      done?.(error)
    })
    setImmediate(() => {
      if (!isWritten) poke(stream.session)
    })
    return more
  }
  stream.write = watched as ServerHttp2Stream["write"]
}

export const pokeStalledWrites = (server: Http2Server) => server.prependListener("stream", watch)
