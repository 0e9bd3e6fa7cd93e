/** The final manifests of renditions that are proven: HLS, DASH, and what both point to. */
import { Effect } from "effect"
import { manifest, segment } from "#domain/keys.ts"
import { dashManifest, MPD } from "#domain/transcode/dash.ts"
import {
  type Chapter,
  type Media,
  type Packaged,
  type Rung,
  type Segment,
  type SoundRendition,
  type Text,
  TICKS,
} from "#domain/transcode/facts.ts"
import {
  CHAPTERS,
  type KeyPicture,
  keysList,
  keysListName,
  mediaList,
  multivariantList,
  textList,
} from "#domain/transcode/playlist.ts"
import { type EXTENDED, type Presentation, shown } from "#domain/transcode/presentation.ts"
import { FIRST_ROW_BYTES, keyPictureBytes } from "#domain/transcode/segment-head.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { json, keep } from "./objects.ts"
import type { Rendition } from "./renditions.ts"
import type { Task } from "./stage.ts"

const PLAYLIST = "application/vnd.apple.mpegurl"
const READS_AT_ONCE = 8

export interface Proven {
  readonly media: Media
  /** Lowest first. */
  readonly rungs: ReadonlyArray<Rung>
  readonly sounds: ReadonlyArray<SoundRendition>
  readonly text: Text
  readonly renditions: ReadonlyArray<Rendition>
  readonly figures: Packaged["rungs"]
  /** Seconds. */
  readonly targetDuration: number
  /** Of the ones that name all; none: those that are published first. */
  readonly names?: typeof EXTENDED
}

const keyPictureOf = (task: Task, rung: string) =>
  Effect.fnUntraced(function* ({ k, start, duration, bytes }: Segment) {
    const objects = yield* ObjectStore
    const range = { from: 0, to: Math.min(bytes, FIRST_ROW_BYTES) }
    const head = yield* objects.get(segment(task.videoId, task.run, rung, k), range)
    const reach = keyPictureBytes(head)
    return reach === null || reach > bytes ? [] : [{ k, start, duration, bytes: reach }]
  })

/** Those of the lowest rung: a player that winds shows small pictures. None, where one is no key picture. */
const keyPicturesOf = Effect.fnUntraced(function* (
  task: Task,
  rung: string,
  { segments }: Rendition,
) {
  const found: ReadonlyArray<ReadonlyArray<KeyPicture>> = yield* Effect.forEach(
    segments,
    keyPictureOf(task, rung),
    { concurrency: READS_AT_ONCE },
  )
  const pictures = found.flat()
  return pictures.length === segments.length ? pictures : []
})

const peakOf = (pictures: ReadonlyArray<KeyPicture>) =>
  Math.max(...pictures.map(({ bytes, duration }) => Math.ceil((bytes * 8 * TICKS) / duration)))

/** As Apple's players read it. */
const chaptersOf = (chapters: ReadonlyArray<Chapter>) =>
  chapters.map(({ start, end, title }, i) => ({
    chapter: i + 1,
    "start-time": start / TICKS,
    duration: (end - start) / TICKS,
    titles: [{ language: "und", title: shown(title) }],
  }))

export const writeManifests = Effect.fn("writeManifests")(function* (task: Task, proven: Proven) {
  const { media, rungs, sounds, text, renditions, figures, targetDuration, names } = proven
  const figureOf = (name: string) => figures.find(({ rung }) => rung === name)
  const renditionOf = (name: string) => renditions.find(({ rung }) => rung === name)

  const write = (name: string, body: string | Uint8Array, type = PLAYLIST) =>
    keep(
      manifest(task.videoId, task.run, name),
      typeof body === "string" ? new TextEncoder().encode(body) : body,
      type,
    )

  yield* Effect.forEach(renditions, ({ rung, segments }) =>
    write(`${rung}.m3u8`, mediaList({ name: rung, targetDuration, segments, isWhole: true })),
  )
  yield* Effect.forEach(text.tracks, ({ name }) =>
    write(`${name}.m3u8`, textList(name, media.durationTicks)),
  )
  const [lowest] = rungs
  const small = lowest && renditionOf(lowest.name)
  const pictures = lowest && small ? yield* keyPicturesOf(task, lowest.name, small) : []
  if (lowest !== undefined && pictures.length > 0) {
    yield* write(`${keysListName(lowest.name)}.m3u8`, keysList(lowest.name, pictures))
  }
  if (text.chapters.length > 0) {
    yield* write(CHAPTERS, json(chaptersOf(text.chapters)), "application/json")
  }

  const presentation: Presentation = {
    variants: rungs.flatMap((rung) => {
      const figure = figureOf(rung.name)
      const { framesPerSecond } = media.video
      return figure === undefined ? [] : [{ ...figure, rung, framesPerSecond }]
    }),
    sounds: sounds.map((sound) => ({
      ...sound,
      bitsPerSecond: figureOf(sound.name)?.peakBitsPerSecond ?? sound.bitsPerSecond,
    })),
    texts: text.tracks,
    keyPictures:
      lowest !== undefined && pictures.length > 0
        ? { rung: lowest, bitsPerSecond: peakOf(pictures) }
        : null,
    hasChapters: text.chapters.length > 0,
  }
  const segmentsOf = (name: string) => renditionOf(name)?.segments ?? []
  const dash = dashManifest({ ...presentation, segmentsOf, targetDuration, growth: null })
  yield* write(names?.dash ?? MPD, dash, "application/dash+xml")
  yield* write(names?.hls ?? "main.m3u8", multivariantList(presentation))
})
