/**
 * A video server and an object store for the tests of pages: a real little HLS video of two rungs,
 * made by ffmpeg, a picture, a door that can be closed, and parts that arrive, some at the second try.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const makeVideo = async (folder: string) => {
  const source = "testsrc2=size=640x360:rate=24:duration=12"
  const sound = "sine=frequency=300:duration=12"
  const args = [
    ...["-v", "error", "-f", "lavfi", "-i", source, "-f", "lavfi", "-i", sound],
    ...["-filter_complex", "[0:v]split=2[a][b];[b]scale=320:180[c]"],
    ...["-map", "[a]", "-map", "1:a", "-map", "[c]", "-map", "1:a"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-g", "48", "-sc_threshold", "0", "-c:a", "aac"],
    ...["-b:v:0", "400k", "-b:v:1", "120k", "-f", "hls", "-hls_time", "2"],
    ...["-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-master_pl_name", "main.m3u8"],
    ...["-var_stream_map", "v:0,a:0,name:360p v:1,a:1,name:180p", "%v.m3u8"],
  ]
  const encoder = Bun.spawn(["ffmpeg", ...args], { cwd: folder, stdin: "ignore" })
  if ((await encoder.exited) !== 0) throw new Error("ffmpeg could not make the test video")
  const tiles = ["-vf", "fps=1/2,scale=160:90,tile=6x1", "-frames:v", "1", "storyboard-0.jpg"]
  const drawer = Bun.spawn(
    ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=24:d=12", ...tiles],
    { cwd: folder, stdin: "ignore" },
  )
  if ((await drawer.exited) !== 0) throw new Error("ffmpeg could not make the storyboard")
  const at = (second: number) => `00:00:${String(second).padStart(2, "0")}.000`
  const cues = [0, 2, 4, 6, 8, 10].map(
    (second) =>
      `${at(second)} --> ${at(second + 2)}\nstoryboard-0.jpg#xywh=${second * 80},0,160,90\n`,
  )
  await Bun.write(join(folder, "storyboard.vtt"), `WEBVTT\n\n${cues.join("\n")}`)
}

const types: Readonly<Record<string, string>> = {
  m3u8: "application/vnd.apple.mpegurl",
  vtt: "text/vtt",
  jpg: "image/jpeg",
}

const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
)

export const startEdge = async () => {
  const folder = await mkdtemp(join(tmpdir(), "reelog-web-"))
  await makeVideo(folder)
  let isOpen = true
  const received = new Map<string, number>()
  const refused = new Set<string>()
  let concurrent = 0
  let mostConcurrent = 0

  const store = async (request: Request, path: string, headers: Record<string, string>) => {
    concurrent += 1
    mostConcurrent = Math.max(mostConcurrent, concurrent)
    const { byteLength } = await request.arrayBuffer()
    await Bun.sleep(20)
    concurrent -= 1
    // Each second part is refused once: a client has to try it again.
    if (Number(path.split("/").at(-1)) % 2 === 0 && !refused.has(path)) {
      refused.add(path)
      return new Response(null, { status: 503, headers })
    }
    received.set(path, byteLength)
    return new Response(null, { headers: { ...headers, etag: `"${path}"` } })
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url)
      const headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "*",
        "access-control-allow-methods": "GET, HEAD, PUT",
        "access-control-expose-headers": "ETag",
      }
      if (request.method === "OPTIONS") return new Response(null, { headers })
      if (request.method === "PUT") return await store(request, pathname, headers)
      if (pathname.endsWith(".png")) return new Response(pixel, { headers })
      if (!isOpen) return new Response(null, { status: 451, headers })
      const file = Bun.file(join(folder, pathname.split("/").at(-1) ?? ""))
      if (!(await file.exists())) return new Response(null, { status: 404, headers })
      const type = types[pathname.split(".").at(-1) ?? ""] ?? "video/mp4"
      return new Response(file, { headers: { ...headers, "content-type": type } })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}`,
    close: () => {
      isOpen = false
    },
    received,
    mostConcurrent: () => mostConcurrent,
    stop: async () => {
      await server.stop(true)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
