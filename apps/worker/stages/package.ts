/**
 * Stage `Package`: makes no media, but where a copied rung was refused on the way. It proves that
 * the segments of all pieces join to renditions without a gap and with the same borders, measures
 * them, and writes the final playlists.
 */
import { Effect, Schema } from "effect"
import { initSegment, manifest } from "#domain/keys.ts"
import {
  Audio,
  AudioPiece,
  DEFAULT_SOUND,
  EncodedPiece,
  Media,
  type Packaged,
  Rung,
  type SoundRendition,
  Text,
  TICKS,
} from "#domain/transcode/facts.ts"
import { offered, TELLING_SEGMENTS } from "#domain/transcode/ladder.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { writeManifests } from "../manifests.ts"
import { ObjectRef } from "../objects.ts"
import { settled } from "../refused-copies.ts"
import { aligned, joined, measured, type Rendition, withoutGap } from "../renditions.ts"
import { HeaderDiffers, InputsUnreadable, SegmentsDisagree, stage, type Task } from "../stage.ts"

const Input = Schema.Struct({
  video: Schema.Array(EncodedPiece),
  audio: Schema.optionalKey(Audio),
  media: Media,
  rungs: Schema.Array(Rung),
  text: Schema.optionalKey(Text),
  index: Schema.optionalKey(ObjectRef),
})

const decodeSound = Schema.decodeUnknownEffect(AudioPiece)

export const soundOf = Effect.fnUntraced(
  function* (task: Task, { name, initBytes, segmentCount }: SoundRendition) {
    const pieces = yield* Effect.forEach(task.emittedFor("audio"), ({ facts }) =>
      decodeSound(facts),
    )
    const segments = pieces
      .filter(({ rendition = DEFAULT_SOUND }) => rendition === name)
      .flatMap((piece) => piece.segments)
      .sort((a, b) => a.k - b.k)
    if (segments.length !== segmentCount) {
      return yield* new SegmentsDisagree({ rung: name, k: segments.length })
    }
    return { rung: name, initBytes, segments } satisfies Rendition
  },
  Effect.catchTag("SchemaError", ({ message }) =>
    Effect.fail(new InputsUnreadable({ issue: message })),
  ),
)

/** Every piece came with the same header, and that is the one that lies there. */
export const oneHeader = Effect.fnUntraced(function* (
  task: Task,
  rung: string,
  told: ReadonlyArray<number>,
) {
  const objects = yield* ObjectStore
  const { byteLength } = yield* objects.head(initSegment(task.videoId, task.run, rung))
  if (told.some((bytes) => bytes !== byteLength)) return yield* new HeaderDiffers({ rung })
})

/** A growing list kept its promise or stopped; the final one may promise anew. */
export const targetDurationOf = (media: Media, all: ReadonlyArray<Rendition>): number => {
  const longest = Math.max(...all.flatMap(({ segments }) => segments.map((it) => it.duration)))
  return Math.max(media.targetDuration, Math.ceil(longest / TICKS))
}

/**
 * As the first segments have told. Where a copy was refused on the way they may have told otherwise
 * before: what was left out then stays out. Else a rung that is not whole is a fault, and found as one.
 */
const worthOffering = (
  ladder: ReadonlyArray<Rung>,
  pieces: ReadonlyArray<EncodedPiece>,
  wasRefused: boolean,
) => {
  const numbers = new Set(pieces.map(({ n }) => n))
  const isWhole = ({ name }: Rung) =>
    new Set(pieces.filter((it) => it.rungs.some(({ rung }) => rung === name)).map(({ n }) => n))
      .size === numbers.size
  const telling = Math.min(TELLING_SEGMENTS, numbers.size)
  const kept = offered(ladder, (name) => joined(name, pieces).segments, telling) ?? ladder
  return wasRefused && !kept.every(isWhole) ? ladder.filter(isWhole) : kept
}

export const packageVideo = stage(
  Input,
  Effect.fn("stage.package")(function* (
    task,
    { video: told, audio, text, media, rungs: ladder, index },
  ) {
    const { rungs: made, pieces: video, cpuSeconds } = yield* settled(task, ladder, told, index)
    const wasRefused = made.some(({ name }) => ladder.every((rung) => rung.name !== name))
    const rungs = worthOffering(made, video, wasRefused || made.length < ladder.length)
    const renditions = rungs.map(({ name }) => joined(name, video))
    const sounds = yield* Effect.forEach(audio?.renditions ?? [], (sound) => soundOf(task, sound))
    const all = [...renditions, ...sounds]
    yield* Effect.forEach(all, (rendition) => Effect.fromResult(withoutGap(rendition)))
    const [lowest] = renditions
    if (lowest === undefined) return yield* new InputsUnreadable({ issue: "there is no rung" })
    yield* Effect.forEach(renditions, (other) => Effect.fromResult(aligned(lowest, other)))
    yield* Effect.forEach(all, ({ rung, initBytes }) => {
      const pieces = video.flatMap((piece) => piece.rungs.filter((it) => it.rung === rung))
      return oneHeader(task, rung, [initBytes, ...pieces.map((it) => it.initBytes)])
    })

    const targetDuration = targetDurationOf(media, all)
    const figures = all.map((rendition) => measured(rendition, targetDuration))

    yield* writeManifests(task, {
      media,
      rungs,
      sounds: audio?.renditions ?? [],
      text: text ?? { tracks: [], chapters: [] },
      renditions: all,
      figures,
      targetDuration,
    })

    const packaged: Packaged = {
      key: manifest(task.videoId, task.run, "main.m3u8"),
      rungs: figures,
    }
    const isDamaged = video.some(({ damaged }) => damaged) || audio?.damaged === true
    const news = {
      ...(isDamaged && { media: { ...media, damaged: true } }),
      ...(rungs.length < ladder.length || made !== ladder ? { rungs } : {}),
    }
    return { outputs: { manifest: packaged, ...news }, cpuSeconds }
  }),
)
