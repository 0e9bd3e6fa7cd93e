/**
 * The text of a DASH manifest (ISO/IEC 23009-1, isoff-live), growing and final, of the same segments
 * as the playlists. URIs are relative to it: `{rung}/init.mp4`, `{rung}/{k}.m4s`.
 */
import { type Segment, type TextTrack, TICKS } from "./facts.ts"
import {
  nameOf,
  type Presentation,
  type Sound,
  shown,
  tagOf,
  type Variant,
} from "./presentation.ts"

export const MPD = "manifest.mpd"

export interface Growth {
  /** Since when it can be watched, milliseconds. */
  readonly playableAt: number
  /** Of the whole source, ticks. */
  readonly durationTicks: number
}

export interface DashPresentation extends Pick<Presentation, "variants" | "sounds" | "texts"> {
  readonly segmentsOf: (name: string) => ReadonlyArray<Segment>
  /** Seconds. */
  readonly targetDuration: number
  /** `null`: whole. */
  readonly growth: Growth | null
}

type Element = readonly [
  name: string,
  attributes: Readonly<Record<string, string | number | null>>,
  content?: ReadonlyArray<Element> | string,
]

const escaped = (words: string | number) =>
  `${words}`
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")

const xml = ([name, attributes, content = []]: Element, indent = ""): string => {
  const told = Object.entries(attributes)
    .flatMap(([key, value]) => (value === null ? [] : [` ${key}="${escaped(value)}"`]))
    .join("")
  if (typeof content === "string") return `${indent}<${name}${told}>${escaped(content)}</${name}>\n`
  if (content.length === 0) return `${indent}<${name}${told}/>\n`
  const inside = content.map((element) => xml(element, `${indent}  `)).join("")
  return `${indent}<${name}${told}>\n${inside}${indent}</${name}>\n`
}

const period = (ticks: number) => `PT${(ticks / TICKS).toFixed(3)}S`
/** What is there ends here; rounded up, that no last picture is cut. */
const periodOver = (ticks: number) => `PT${(Math.ceil((ticks * 1000) / TICKS) / 1000).toFixed(3)}S`
const endOf = (segments: ReadonlyArray<Segment>) => {
  const last = segments.at(-1)
  return last === undefined ? 0 : last.start + last.duration
}

/** Runs of equal length are one entry; a time is told where it does not follow from the one before. */
const timelineOf = (segments: ReadonlyArray<Segment>): Element => {
  const runs: Array<{ t: number | null; d: number; r: number }> = []
  let end: number | null = null
  for (const { start, duration } of segments) {
    const last = runs.at(-1)
    if (last !== undefined && last.d === duration && start === end) last.r += 1
    else runs.push({ t: start === end ? null : start, d: duration, r: 0 })
    end = start + duration
  }
  const entries = runs.map(({ t, d, r }): Element => ["S", { t, d, r: r === 0 ? null : r }])
  return ["SegmentTimeline", {}, entries]
}

const isCounted = (segments: ReadonlyArray<Segment>) =>
  segments.every(({ k }, i) => k === (segments[0]?.k ?? 0) + i)

/** By number where the numbers have no hole, else each by its name. */
const segmentsElement = (name: string, segments: ReadonlyArray<Segment>): Element => {
  const timeline = timelineOf(segments)
  if (!isCounted(segments)) {
    const named = segments.map(({ k }): Element => ["SegmentURL", { media: `${name}/${k}.m4s` }])
    const header: Element = ["Initialization", { sourceURL: `${name}/init.mp4` }]
    return ["SegmentList", { timescale: TICKS }, [header, timeline, ...named]]
  }
  const told = {
    timescale: TICKS,
    startNumber: segments[0]?.k ?? 0,
    initialization: "$RepresentationID$/init.mp4",
    media: "$RepresentationID$/$Number$.m4s",
  }
  return ["SegmentTemplate", told, [timeline]]
}

const role = (value: string): Element => ["Role", { schemeIdUri: "urn:mpeg:dash:role:2011", value }]

/** A fraction where the rate is one of the family of 1001. */
const frameRateOf = (framesPerSecond: number): string => {
  const whole = Math.round(framesPerSecond)
  if (Math.abs(framesPerSecond - whole) < 0.001) return `${whole}`
  const near = Math.round(framesPerSecond * 1.001)
  const isNtsc = Math.abs((near * 1000) / 1001 - framesPerSecond) < 0.001
  return isNtsc ? `${near * 1000}/1001` : `${Math.round(framesPerSecond * 1000)}/1000`
}

const familyOf = ({ rung }: Variant) => rung.codecs.split(".")[0] ?? ""

/** One set for each codec: a player changes rungs inside a set. */
const videoSets = ({ variants, segmentsOf }: DashPresentation): ReadonlyArray<Element> => {
  const families = [...new Set(variants.map(familyOf))]
  return families.map((family): Element => {
    const its = variants.filter((variant) => familyOf(variant) === family)
    const told = {
      contentType: "video",
      mimeType: "video/mp4",
      segmentAlignment: "true",
      startWithSAP: 1,
      maxWidth: Math.max(...its.map(({ rung }) => rung.width)),
      maxHeight: Math.max(...its.map(({ rung }) => rung.height)),
    }
    const shows = its.map((variant): Element => {
      const { name, codecs, width, height } = variant.rung
      const how = {
        id: name,
        codecs,
        bandwidth: variant.peakBitsPerSecond,
        width,
        height,
        sar: "1:1",
        frameRate: frameRateOf(variant.framesPerSecond),
      }
      return ["Representation", how, [segmentsElement(name, segmentsOf(name))]]
    })
    return ["AdaptationSet", told, [role("main"), ...shows]]
  })
}

/** ISO/IEC 23091-3: the configuration of so many channels. */
const configurationOf = (channels: number) => (channels === 8 ? 12 : channels)

const label = (title: string | null): ReadonlyArray<Element> => {
  const words = shown(title ?? "")
  return words === "" ? [] : [["Label", {}, words]]
}

const soundSet = (sound: Sound, segments: ReadonlyArray<Segment>): Element => {
  const { name, language, title, isDefault, codecs, channels, bitsPerSecond } = sound
  const told = {
    contentType: "audio",
    mimeType: "audio/mp4",
    lang: tagOf(language),
    segmentAlignment: "true",
    startWithSAP: 1,
  }
  const layout: Element = [
    "AudioChannelConfiguration",
    {
      schemeIdUri: "urn:mpeg:mpegB:cicp:ChannelConfiguration",
      value: configurationOf(channels),
    },
  ]
  const how = { id: name, codecs, bandwidth: bitsPerSecond }
  return [
    "AdaptationSet",
    told,
    [
      ...label(title),
      role(isDefault ? "main" : "alternate"),
      ["Representation", how, [layout, segmentsElement(name, segments)]],
    ],
  ]
}

const roleOf = ({ kind, isForced }: TextTrack) => {
  if (isForced) return "forced-subtitle"
  return kind === "captions" ? "caption" : "subtitle"
}

const textSet = (track: TextTrack, durationTicks: number): Element => {
  const { name, language, isDefault, bytes } = track
  const told = { contentType: "text", mimeType: "text/vtt", lang: tagOf(language) }
  const bandwidth = Math.max(1, Math.ceil((bytes * 8 * TICKS) / Math.max(1, durationTicks)))
  return [
    "AdaptationSet",
    told,
    [
      ["Label", {}, nameOf(track, track.kind)],
      role(roleOf(track)),
      ...(isDefault ? [role("main")] : []),
      ["Representation", { id: name, bandwidth }, [["BaseURL", {}, `${name}/0.vtt`]]],
    ],
  ]
}

/**
 * While it grows it is `dynamic`, so that players ask again, and its clock begins one video's length
 * before it could be watched: then each segment that is named has been due, and none is thrown away.
 */
const growthOf = ({ playableAt, durationTicks }: Growth) => ({
  type: "dynamic",
  availabilityStartTime: new Date(
    playableAt - Math.ceil((durationTicks * 1000) / TICKS),
  ).toISOString(),
  minimumUpdatePeriod: "PT2S",
})

export const dashManifest = (presentation: DashPresentation): string => {
  const { variants, sounds, texts, segmentsOf, targetDuration, growth } = presentation
  const names = [...variants.map(({ rung }) => rung.name), ...sounds.map(({ name }) => name)]
  const end = Math.max(0, ...names.map((name) => endOf(segmentsOf(name))))
  const length =
    growth === null
      ? { type: "static", mediaPresentationDuration: periodOver(end) }
      : growthOf(growth)
  const root: Element = [
    "MPD",
    {
      xmlns: "urn:mpeg:dash:schema:mpd:2011",
      profiles: "urn:mpeg:dash:profile:isoff-live:2011",
      ...length,
      minBufferTime: period(2 * TICKS),
      maxSegmentDuration: period(targetDuration * TICKS),
    },
    [
      [
        "Period",
        { id: "0", start: "PT0S" },
        [
          ...videoSets(presentation),
          ...sounds.map((sound) => soundSet(sound, segmentsOf(sound.name))),
          ...texts.map((track) => textSet(track, growth?.durationTicks ?? end)),
        ],
      ],
    ],
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xml(root)}`
}
