/** For tests: an upload that sends its parts when the test says so. */
import { expect } from "bun:test"
import type { TestPlatform } from "./testing.ts"

interface Asked {
  readonly videoId: string
  readonly parts: ReadonlyArray<{
    readonly number: number
    readonly offset: number
    readonly length: number
    readonly url: string
    readonly headers: Record<string, string>
  }>
}

/** Begins an upload of a file in so many parts of one length. */
export const beginUpload = async (
  platform: TestPlatform,
  { path, title, count }: { readonly path: string; readonly title: string; readonly count: number },
) => {
  const bytes = await Bun.file(path).bytes()
  const size = Math.ceil(bytes.length / count)
  const parts = Array.from({ length: count }, (_, i) => ({
    offset: i * size,
    length: Math.min(size, bytes.length - i * size),
  }))
  const post = async (where: string, body: unknown) => {
    const answer = await platform.call(where, { method: "POST", body: JSON.stringify(body) })
    expect(answer.ok).toBe(true)
    return answer.json()
  }
  const form = { title, fileName: "slow.mp4", byteLength: bytes.length, parts }
  const asked = (await post("/v1/videos", form)) as Asked
  return {
    videoId: asked.videoId,
    /** Sends the parts from one index to before another, and reports them. */
    send: async (from: number, to?: number) => {
      const sent = await Promise.all(
        asked.parts.slice(from, to).map(async ({ number, offset, length, url, headers }) => {
          const body = bytes.slice(offset, offset + length)
          const put = await fetch(url, { method: "PUT", headers, body })
          expect(put.status).toBe(200)
          return { number, etag: put.headers.get("etag") ?? "" }
        }),
      )
      await post(`/v1/videos/${asked.videoId}/parts`, { parts: sent })
    },
    complete: () => post(`/v1/videos/${asked.videoId}/complete`, {}),
  }
}
