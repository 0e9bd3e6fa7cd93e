/** What media-chrome says, in the language of the page: its own keys are its English sentences. */
import { addTranslation, setLanguage } from "media-chrome/utils/i18n.js"
import { tongue } from "./browser.ts"

const { t, locale } = tongue

const said = {
  Play: t("player.play"),
  Pause: t("player.pause"),
  Mute: t("player.mute"),
  Unmute: t("player.unmute"),
  "Enter fullscreen mode": t("player.fullscreen"),
  "Exit fullscreen mode": t("player.exitFullscreen"),
  "Enter picture in picture mode": t("player.pip"),
  "Exit picture in picture mode": t("player.exitPip"),
  "Playback rate": t("player.rate"),
  "Playback rate {playbackRate}": t("player.rateIs", { rate: "{playbackRate}" }),
  "current playback rate": t("player.rate"),
  Quality: t("player.quality"),
  Auto: t("player.auto"),
  Audio: t("player.sounds"),
  Captions: t("player.texts"),
  "closed captions": t("player.texts"),
  Off: t("player.off"),
  "chapter: {chapterName}": t("player.chapterIs", { name: "{chapterName}" }),
  volume: t("player.volume"),
  seek: t("player.seek"),
  "playback time": t("player.time"),
  "media loading": t("player.loading"),
  "video player": t("player.region"),
  "{currentTime} of {totalTime}": t("player.timeOf", {
    time: "{currentTime}",
    total: "{totalTime}",
  }),
  "video not loaded, unknown time.": t("player.timeUnknown"),
  hour: t("player.hours"),
  hours: t("player.hours"),
  minute: t("player.minutes"),
  minutes: t("player.minutes"),
  second: t("player.seconds"),
  seconds: t("player.seconds"),
}

const lowerCase = Object.entries(said).map(([key, text]) => [key.toLowerCase(), text] as const)
addTranslation(locale, { ...Object.fromEntries(lowerCase), ...said })
setLanguage(locale)
