/** What a player that is not ours shows of a manifest, its texts and sounds changed on the way. For tests. */
import type { Page } from "playwright-core"

interface Track {
  readonly language: string
  readonly channelsCount: number | null
  readonly active: boolean
}
interface Player {
  attach: (video: HTMLVideoElement) => Promise<void>
  load: (url: string, from: number) => Promise<void>
  addEventListener: (type: string, tell: (event: { detail: unknown }) => void) => void
  getVideoTracks: () => ReadonlyArray<{ width: number; height: number }>
  getAudioTracks: () => ReadonlyArray<Track>
  selectAudioTrack: (track: Track) => void
  getTextTracks: () => ReadonlyArray<Track>
  selectTextTrack: (track: Track) => void
}

/**
 * Plays to the end at double speed. The text of `language` is shown from the beginning on; in the
 * middle the last sound is chosen that was not heard so far.
 */
export const watched = (tab: Page, source: string, language: string) =>
  tab.evaluate(
    async ({ url, wanted }) => {
      const video = document.querySelector("video")
      if (video === null) throw new Error("there is no video")
      const { shaka } = globalThis as unknown as { shaka: { Player: new () => Player } }
      const player = new shaka.Player()
      const errors: Array<string> = []
      player.addEventListener("error", ({ detail }) => errors.push(JSON.stringify(detail)))
      const told = ({ language, channelsCount }: Track) => `${language} ${channelsCount ?? 0}`
      const heard = () =>
        player
          .getAudioTracks()
          .filter(({ active }) => active)
          .map(told)

      await player.attach(video)
      await player.load(url, 0)
      const sizes = player.getVideoTracks().map(({ width, height }) => ({ width, height }))
      const sounds = player.getAudioTracks().map(told)
      const texts = player.getTextTracks()
      const text = texts.find((track) => track.language === wanted)
      if (text !== undefined) player.selectTextTrack(text)

      const began = heard()
      const lines = new Set<string>()
      const times: Array<number> = []
      let hasChanged = false
      video.addEventListener("timeupdate", () => {
        times.push(video.currentTime)
        for (const { mode, activeCues } of video.textTracks) {
          if (mode !== "showing") continue
          for (const cue of activeCues ?? []) lines.add((cue as VTTCue).text)
        }
        const other = player.getAudioTracks().findLast(({ active }) => !active)
        if (hasChanged || other === undefined || video.currentTime < video.duration / 4) return
        hasChanged = true
        player.selectAudioTrack(other)
      })
      const ended = new Promise<void>((done) => {
        video.addEventListener("ended", () => done())
        setTimeout(done, 20_000)
      })
      video.playbackRate = 2
      await video.play()
      await ended
      return {
        errors,
        sizes,
        sounds,
        texts: texts.map((track) => track.language),
        began,
        heard: heard(),
        lines: [...lines],
        isForward: times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0)),
        time: video.currentTime,
        duration: video.duration,
        isEnded: video.ended,
        ranges: video.buffered.length,
        shape: video.videoWidth / video.videoHeight,
      }
    },
    { url: source, wanted: language },
  )
