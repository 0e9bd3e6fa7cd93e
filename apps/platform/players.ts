/** A page with players that are not ours: what they make of a manifest. For tests. */
import { launch } from "../web/testing/browser.ts"

const scripts: Readonly<Record<string, string>> = {
  shaka: import.meta.resolve("shaka-player/dist/shaka-player.compiled-es2021.js"),
  hls: import.meta.resolve("hls.js/dist/hls.min.js"),
}
const blank = `<!doctype html><video muted></video>${Object.keys(scripts)
  .map((name) => `<script src="/${name}"></script>`)
  .join("")}`

/** `at`: where the video's segments lie. */
export const startPlayers = async (at: string) => {
  const browser = await launch()
  let manifest = () => ""
  let asked = 0
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const name = new URL(request.url).pathname.slice(1)
      if (name === "growing/manifest.mpd") {
        asked += 1
        return new Response(manifest(), { headers: { "content-type": "application/dash+xml" } })
      }
      if (name.startsWith("growing/")) return fetch(`${at}/${name.slice("growing/".length)}`)
      const script = scripts[name]
      return script === undefined
        ? new Response(blank, { headers: { "content-type": "text/html" } })
        : new Response(Bun.file(new URL(script)))
    },
  })
  const url = `http://127.0.0.1:${server.port}/`

  const open = async () => {
    const tab = await browser.newPage()
    await tab.goto(url)
    return tab
  }

  /** Plays to the end at double speed; what the video element tells then. */
  const played = async (player: "shaka" | "hls", from: string) => {
    const tab = await browser.newPage()
    const complaints: Array<string> = []
    tab.on("pageerror", (error) => void complaints.push(error.message))
    await tab.goto(url)
    const told = await tab.evaluate(
      async ({ name, source }) => {
        const video = document.querySelector("video")
        if (video === null) throw new Error("there is no video")
        const errors: Array<string> = []
        const { shaka, Hls } = globalThis as unknown as {
          shaka: { Player: new () => ShakaPlayer }
          Hls: new () => HlsPlayer
        }
        interface ShakaPlayer {
          attach: (video: HTMLVideoElement) => Promise<void>
          load: (url: string, from: number) => Promise<void>
          addEventListener: (type: string, tell: (event: { detail: unknown }) => void) => void
        }
        interface HlsPlayer {
          loadSource: (url: string) => void
          attachMedia: (video: HTMLVideoElement) => void
          on: (
            type: string,
            tell: (type: string, error: { fatal: boolean; details: string }) => void,
          ) => void
        }
        if (name === "shaka") {
          const shakaPlayer = new shaka.Player()
          await shakaPlayer.attach(video)
          shakaPlayer.addEventListener("error", ({ detail }) => errors.push(JSON.stringify(detail)))
          await shakaPlayer.load(source, 0)
        } else {
          const hls = new Hls()
          hls.on("hlsError", (_, { fatal, details }) => {
            if (fatal) errors.push(details)
          })
          hls.loadSource(source)
          hls.attachMedia(video)
        }
        const ended = new Promise<void>((done) => {
          video.addEventListener("ended", () => done())
          setTimeout(done, 25_000)
        })
        await new Promise<void>((done) => {
          if (video.readyState >= 2) done()
          video.addEventListener("loadeddata", () => done())
          setTimeout(done, 15_000)
        })
        video.playbackRate = 2
        await video.play()
        await ended
        return {
          errors,
          time: video.currentTime,
          ranges: video.buffered.length,
          from: video.buffered.length > 0 ? video.buffered.start(0) : -1,
          isEnded: video.ended,
          height: video.videoHeight,
        }
      },
      { name: player, source: from },
    )
    await tab.close()
    return { ...told, errors: [...complaints, ...told.errors] }
  }

  return {
    played,
    /** A page with the players in it. */
    open,
    browser,
    /** Served at `growingUrl`, asked for as often as a player likes. */
    serve: (grown: () => string) => {
      manifest = grown
    },
    growingUrl: `${url}growing/manifest.mpd`,
    asked: () => asked,
    stop: async () => {
      await browser.close()
      await server.stop(true)
    },
  }
}

export type Players = Awaited<ReturnType<typeof startPlayers>>
