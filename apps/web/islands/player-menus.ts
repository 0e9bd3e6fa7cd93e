/**
 * What the menus beside the quality offer, filled from what the list names: sounds, texts and
 * chapters. A choice of sound or text is kept across videos, by its language first, and lives
 * through a reload of a growing list.
 */
import type shaka from "shaka-player/dist/shaka-player.hls-es2021.js"
import { tongue } from "./browser.ts"

type Player = shaka.Player
type Sound = ReturnType<Player["getAudioTracks"]>[number]

/** What the polyfill adds to a video: the menu of sounds reads and writes it. */
export interface SoundTrack {
  id?: string
  enabled: boolean
}
export interface WithSounds extends HTMLVideoElement {
  readonly audioTracks: Iterable<SoundTrack>
  addAudioTrack(kind: string, label?: string, language?: string): SoundTrack
  removeAudioTrack(track: SoundTrack): void
}

const SOUND = "reelog-sound"
const TEXT = "reelog-text"
const WILL_OF_TEXT = [
  "mediashowsubtitlesrequest",
  "mediadisablesubtitlesrequest",
  "mediatogglesubtitlesrequest",
]

/** What is kept of a choice; `channels` of a sound alone. */
interface Wish {
  readonly language: string
  readonly label: string
  readonly channels: number
}

const wishOf = (key: string): Wish | null => {
  try {
    const { language, label, channels } = JSON.parse(localStorage.getItem(key) ?? "")
    return { language: String(language), label: String(label), channels: Number(channels) || 2 }
  } catch {
    return null
  }
}
const keep = (key: string, wish: Wish | null) =>
  localStorage.setItem(key, wish === null ? "off" : JSON.stringify(wish))

const wishFor = ({ language, label, channelsCount }: Sound): Wish => ({
  language,
  label: label ?? "",
  channels: channelsCount ?? 2,
})

// Names

const { t } = tongue
const UNKNOWN = "und"
const layouts: Readonly<Record<number, string>> = { 6: "5.1", 8: "7.1" }

const languageIn = (locale: string, language: string): string | undefined => {
  try {
    const names = new Intl.DisplayNames([locale], { type: "language", fallback: "none" })
    return language === UNKNOWN || language === "" ? undefined : names.of(language)
  } catch {
    return undefined
  }
}

/** The list names what has neither title nor language by what it is, in English, and a number. */
const unnamed = /^(main|subtitles|captions)( \d+)?$/

/** Its title, and the language by its own name where the title does not say it. */
const nameOf = (label: string | null, language: string, otherwise: string): string => {
  const own = languageIn(language, language)
  const title = unnamed.test(label ?? "")
    ? `${otherwise}${unnamed.exec(label ?? "")?.[2] ?? ""}`
    : (label ?? own ?? otherwise)
  const says = own === undefined || title.toLowerCase().includes(own.toLowerCase())
  return says ? title : `${title} (${own})`
}

const soundName = (sound: Sound): string => {
  const layout = layouts[sound.channelsCount ?? 2]
  const name = nameOf(sound.label, sound.language, t("player.sounds"))
  return layout === undefined ? name : `${name} · ${layout}`
}

// Menus

/** What the player is told before it loads: it begins with the sound that was chosen last. */
export const preferredSound = () => {
  const { language, channels } = wishOf(SOUND) ?? { language: "", channels: 2 }
  const any = { role: "", label: "", codec: "", spatialAudio: false }
  return [{ ...any, language, channelCount: channels }]
}

const soundMenu = (player: Player, video: WithSounds, controller: HTMLElement) => {
  let offered: ReadonlyArray<Sound> = []
  const choose = (sound: Sound) => {
    if (!sound.active) player.selectAudioTrack(sound)
  }
  controller.addEventListener("mediaaudiotrackrequest", (event) => {
    const sound = offered[Number((event as CustomEvent<string>).detail)]
    if (sound === undefined) return
    keep(SOUND, wishFor(sound))
    choose(sound)
    // Tracks are told anew after each change: what is active now is asked for then.
    offered = offered.map((other) => ({ ...other, active: other === sound }))
  })
  return () => {
    const wish = wishOf(SOUND)
    const asWished = (sound: Sound) => JSON.stringify(wishFor(sound)) === JSON.stringify(wish)
    offered = player.getAudioTracks()
    const wished = offered.find(asWished)
    if (wished !== undefined) choose(wished)
    for (const old of [...video.audioTracks]) video.removeAudioTrack(old)
    for (const [i, sound] of offered.entries()) {
      const kind = sound.primary ? "main" : "alternative"
      const track = video.addAudioTrack(kind, soundName(sound), sound.language)
      track.id = String(i)
      track.enabled = wished === undefined ? sound.active : sound === wished
    }
  }
}

interface Text {
  readonly name: string
  readonly language: string
  readonly kind: "captions" | "subtitles"
  readonly isForced: boolean
  readonly src: string
}

/** What the list names as subtitles: each is one WebVTT file beside a list of its own. */
const textsOf = (list: string, from: string): ReadonlyArray<Text> =>
  list
    .split("\n")
    .filter((line) => line.startsWith("#EXT-X-MEDIA:TYPE=SUBTITLES"))
    .map((line) => {
      const told = new Map(
        [...line.matchAll(/([A-Z-]+)=(?:"([^"]*)"|([^,]*))/g)].map(
          ([, key = "", words, word = ""]) => [key, words ?? word] as const,
        ),
      )
      const file = (told.get("URI") ?? "").replace(/\.m3u8$/, "/0.vtt")
      return {
        name: told.get("NAME") ?? "",
        language: told.get("LANGUAGE") ?? UNKNOWN,
        kind: told.has("CHARACTERISTICS") ? "captions" : "subtitles",
        isForced: told.get("FORCED") === "YES",
        src: new URL(file, from).href,
      }
    })

const isText = ({ kind }: TextTrack) => kind === "subtitles" || kind === "captions"

/**
 * The browser's own tracks: Shaka 5.2 places the texts of a list by the pictures that it appends
 * after them, and shows none that is chosen when all pictures are there.
 */
const textMenu = (player: Player, video: HTMLVideoElement, controller: HTMLElement) => {
  const { hls = "" } = controller.dataset
  const shown = () =>
    [...video.textTracks].find((track) => isText(track) && track.mode === "showing")
  const remember = () => {
    const track = shown()
    keep(TEXT, track ? { language: track.language, label: track.label, channels: 0 } : null)
  }
  for (const will of WILL_OF_TEXT) {
    controller.addEventListener(will, () => setTimeout(remember, 0))
  }
  const trackOf = ({ name, language, kind, src }: Text) => {
    const track = document.createElement("track")
    const label = nameOf(name, language, t("player.texts"))
    Object.assign(track, { kind, label, srclang: language, src })
    video.append(track)
    return track.track
  }
  return async () => {
    const answer = await fetch(hls).catch(() => undefined)
    const texts = answer?.ok === true ? textsOf(await answer.text(), hls) : []
    const known = new Set([...video.querySelectorAll("track")].map(({ src }) => src))
    const fresh = texts.filter(({ src }) => !known.has(src))
    const tracks = fresh.map((text) => [text, trackOf(text)] as const)
    const wish = wishOf(TEXT)
    const heard = player.getAudioTracks().find(({ active }) => active)?.language
    const spoken = tracks.filter(([, { language }]) => language === wish?.language)
    const first =
      spoken.find(([, { label }]) => label === wish?.label) ??
      spoken[0] ??
      tracks.find(([{ isForced, language }]) => isForced && language === heard)
    if (first !== undefined && shown() === undefined) first[1].mode = "showing"
  }
}

const TITLE_LENGTH = 80

/** Marks on the time line are cues of a track; the list goes to where a chapter begins. */
const chapterMenu = (player: Player, video: HTMLVideoElement, controller: HTMLElement) => {
  const button = controller.querySelector<HTMLElement>("#chapters")
  const menu = controller.querySelector<HTMLElement>("#chapter-list")
  let isFilled = false

  const entry = (startTime: number, title: string) => {
    const item = document.createElement("media-chrome-menu-item") as HTMLElement & {
      checked: boolean
    }
    item.setAttribute("type", "radio")
    item.setAttribute("value", String(startTime))
    const time = document.createElement("span")
    time.className = "when"
    // A source's own start may have moved it by a few milliseconds.
    time.textContent = tongue.clock(startTime + 0.05)
    const name = document.createElement("bdi")
    name.textContent = title
    item.append(time, name)
    const go = () => {
      video.currentTime = startTime
    }
    item.addEventListener("click", go)
    item.addEventListener("keydown", ({ key }) => {
      if (key === "Enter" || key === " ") go()
    })
    return item
  }

  return async () => {
    const track = player.getChaptersTracks()[0]
    if (isFilled || track === undefined || button === null || menu === null) return
    isFilled = true
    const chapters = await player.getChaptersAsync(track.language)
    if (chapters.length === 0) return
    const marks = video.addTextTrack("chapters", t("player.chapters"))
    const items = chapters.map(({ startTime, endTime, title }, i) => {
      const name = title.trim().slice(0, TITLE_LENGTH) || t("player.chapter", { number: i + 1 })
      marks.addCue(new VTTCue(startTime, endTime, name))
      return entry(startTime, name)
    })
    marks.mode = "hidden"
    menu.append(...items)
    button.hidden = false
    const tellWhere = () => {
      const here = chapters.findLastIndex(({ startTime }) => startTime <= video.currentTime + 0.01)
      for (const [i, item] of items.entries()) {
        if (item.checked !== (i === here)) item.checked = i === here
      }
    }
    video.addEventListener("timeupdate", tellWhere)
    tellWhere()
  }
}

/** Fills them all; asked again whenever the list was loaded. */
export const menusOf = (player: Player, video: WithSounds, controller: HTMLElement) => {
  const sounds = soundMenu(player, video, controller)
  const texts = textMenu(player, video, controller)
  const chapters = chapterMenu(player, video, controller)
  return () => {
    sounds()
    void texts()
    void chapters()
  }
}
