/**
 * The player: Shaka under media-chrome's controls. The menu names every rung and Auto, a choice is
 * kept across videos; the menus beside it are filled by `player-menus.ts`. While the video grows, the page follows its progress and loads the list
 * again at the same time position when it names a better rung; when it is taken down, it stops.
 */
import "media-tracks/polyfill"
import "media-chrome/media-controller"
import "media-chrome/media-control-bar"
import "media-chrome/media-fullscreen-button"
import "media-chrome/media-loading-indicator"
import "media-chrome/media-mute-button"
import "media-chrome/media-pip-button"
import "media-chrome/media-play-button"
import "media-chrome/media-preview-chapter-display"
import "media-chrome/media-preview-thumbnail"
import "media-chrome/media-preview-time-display"
import "media-chrome/media-time-display"
import "media-chrome/media-time-range"
import "media-chrome/media-volume-range"
import "media-chrome/menu"
import "./player-words.ts"
import shaka from "shaka-player/dist/shaka-player.hls-es2021.js"
import { menusOf, preferredSound, type WithSounds } from "./player-menus.ts"

const QUALITY = "reelog-quality"
const DOOR_EVERY = 5000
const CLOSED = 451

type Height = number | "auto"
interface Rendition extends EventTarget {
  id?: string
}
interface Renditions extends EventTarget {
  selectedIndex: number
}
interface Track {
  selected: boolean
  addRendition(
    src: string,
    width?: number,
    height?: number,
    codec?: string,
    bitrate?: number,
    frameRate?: number,
  ): Rendition
}
/** What the polyfill adds to a video: the menu reads and writes it. */
type Media = WithSounds & {
  readonly videoRenditions: Renditions
  readonly videoTracks: Iterable<Track>
  addVideoTrack(kind: string): Track
  removeVideoTrack(track: Track): void
}

const chosen = (): Height => {
  const height = Number(localStorage.getItem(QUALITY))
  return height > 0 ? height : "auto"
}

const isClosed = (error: unknown): boolean => {
  const { data } = error as { data?: ReadonlyArray<unknown> }
  return data?.includes(CLOSED) === true
}

const start = async (controller: HTMLElement, video: Media) => {
  const { hls = "", failed = "" } = controller.dataset
  const player = new shaka.Player()
  await player.attach(video)
  video.controls = false
  player.configure({
    streaming: { retryParameters: { maxAttempts: 5, baseDelay: 500 }, bufferingGoal: 20 },
    manifest: { retryParameters: { maxAttempts: 5, baseDelay: 500 }, disableText: true },
  })
  const fillMenus = menusOf(player, video, controller)

  /** Highest first. */
  const rungs = () => player.getVideoTracks().sort((a, b) => (b.height ?? 0) - (a.height ?? 0))

  const choose = (height: Height) => {
    const rung = rungs().find((track) => track.height === height)
    player.configure({ abr: { enabled: rung === undefined } })
    if (rung !== undefined && !rung.active) player.selectVideoTrack(rung, true, 1)
  }

  let isFilling = false
  const fillMenu = () => {
    isFilling = true
    for (const old of [...video.videoTracks]) video.removeVideoTrack(old)
    const track = video.addVideoTrack("main")
    track.selected = true
    for (const { width, height, codecs, bandwidth, frameRate } of rungs()) {
      const codec = codecs ?? undefined
      const rendition = track.addRendition(
        hls,
        width ?? 0,
        height ?? 0,
        codec,
        bandwidth,
        frameRate ?? 0,
      )
      rendition.id = String(height)
    }
    const index = rungs().findIndex((rung) => rung.height === chosen())
    if (index >= 0) video.videoRenditions.selectedIndex = index
    isFilling = false
    choose(chosen())
  }
  video.videoRenditions.addEventListener("change", () => {
    if (isFilling) return
    const height = rungs()[video.videoRenditions.selectedIndex]?.height ?? "auto"
    localStorage.setItem(QUALITY, String(height))
    choose(height)
  })

  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    await player.unload()
    location.reload()
  }
  const fail = async (error: unknown) => {
    if (isClosed(error)) return await stop()
    const note = document.createElement("p")
    note.role = "alert"
    note.className = "wait"
    note.textContent = failed
    return controller.after(note)
  }
  player.addEventListener("error", (event) => {
    void fail((event as Event & { detail: unknown }).detail)
  })

  const load = async (from?: number) => {
    player.configure({ preferredAudio: preferredSound() })
    await player.load(hls, from)
    fillMenu()
    fillMenus()
  }
  await load().catch(fail)

  /** What is already in the buffer would play on after a takedown: ask the edge now and then. */
  const watchDoor = async () => {
    if (!video.paused) {
      const response = await fetch(hls, { method: "HEAD" }).catch(() => undefined)
      if (response?.status === CLOSED) return await stop()
    }
    setTimeout(watchDoor, DOOR_EVERY)
  }
  setTimeout(watchDoor, DOOR_EVERY)

  return {
    best: () => Math.max(0, ...rungs().map(({ height }) => height ?? 0)),
    reload: async () => {
      const { paused, playbackRate } = video
      await load(video.currentTime).catch(fail)
      video.playbackRate = playbackRate
      if (!paused) await video.play().catch(() => undefined)
    },
  }
}

type Playing = Awaited<ReturnType<typeof start>>

/** Follows a video that is not whole yet. */
const follow = (videoId: string, playing: Playing | undefined) => {
  const events = new EventSource(`/v1/videos/${videoId}/events`)
  let soon: ReturnType<typeof setTimeout> | undefined
  const reloadSoon = () => {
    if (playing === undefined || soon !== undefined) return
    soon = setTimeout(() => {
      soon = undefined
      void playing.reload()
    }, 1000)
  }
  const again = () => location.reload()
  events.addEventListener("playable", () => {
    if (playing === undefined) again()
  })
  events.addEventListener("rendition", ({ data }) => {
    const { done, total, height } = JSON.parse(data) as Record<string, number>
    const isNamed = (done ?? 0) >= Math.min(2, total ?? 2)
    if (playing !== undefined && isNamed && (height ?? 0) > playing.best()) reloadSoon()
  })
  events.addEventListener("published", () => {
    events.close()
    if (playing === undefined) again()
    else reloadSoon()
  })
  events.addEventListener("failed", again)
  events.addEventListener("taken-down", again)
}

const begin = async () => {
  const controller = document.querySelector<HTMLElement>("[data-player]")
  const video = controller?.querySelector("video") as Media | null | undefined
  shaka.polyfill.installAll()
  const playing = controller && video ? await start(controller, video) : undefined
  const live = document.querySelector<HTMLElement>("[data-live]")
  const { video: videoId } = live?.dataset ?? {}
  if (videoId !== undefined) follow(videoId, playing)
}

void begin()
