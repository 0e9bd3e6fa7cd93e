/**
 * Stage `PackageMore`: what was published stays as it is, to the byte; beside it come manifests that
 * name the renditions in other codecs as well. A codec of which anything is missing is left out.
 */
import { Effect, Result, Schema, Stream } from "effect"
import { manifest, runPrefix, segment } from "#domain/keys.ts"
import { publishedRungs, rungsIn } from "#domain/transcode/codecs.ts"
import { Audio, Codec, EncodedPiece, Media, Packaged, Rung, Text } from "#domain/transcode/facts.ts"
import { segmentsIn } from "#domain/transcode/playlist.ts"
import { EXTENDED } from "#domain/transcode/presentation.ts"
import { ObjectStore } from "#infra/object-store/port.ts"
import { writeManifests } from "../manifests.ts"
import { aligned, joined, measured, type Rendition, withoutGap } from "../renditions.ts"
import { InputsUnreadable, ManifestBroken, stage, type Task } from "../stage.ts"
import { oneHeader, soundOf, targetDurationOf } from "./package.ts"

const Pieces = Schema.optionalKey(Schema.Array(EncodedPiece))
const Input = Schema.Struct({
  manifest: Packaged,
  media: Media,
  rungs: Schema.Array(Rung),
  audio: Schema.optionalKey(Audio),
  text: Schema.optionalKey(Text),
  ...{ vp9: Pieces, hevc: Pieces, av1: Pieces },
})

interface Made {
  readonly rung: Rung
  readonly rendition: Rendition
}

const publishedRendition = Effect.fnUntraced(function* (task: Task, rung: Rung) {
  const objects = yield* ObjectStore
  const { videoId, run } = task
  const list = yield* objects.get(manifest(videoId, run, `${rung.name}.m3u8`))
  const files = yield* Stream.runCollect(objects.list(`${runPrefix(videoId, run)}${rung.name}/`))
  const sizes = new Map(files.map(({ key, byteLength }) => [key, byteLength]))
  const segments = segmentsIn(new TextDecoder().decode(list)).map((it) => ({
    ...it,
    bytes: sizes.get(segment(videoId, run, rung.name, it.k)) ?? 0,
  }))
  const missing = segments.find(({ bytes }) => bytes === 0)
  if (missing !== undefined) {
    return yield* new ManifestBroken({ missing: segment(videoId, run, rung.name, missing.k) })
  }
  return { rung, rendition: { rung: rung.name, initBytes: 0, segments } } satisfies Made
})

/** The rungs as they came out; a piece that was given up leaves a gap. */
const madeIn = (candidates: ReadonlyArray<Rung>, pieces: ReadonlyArray<EncodedPiece>) =>
  candidates.flatMap((rung): ReadonlyArray<Made> => {
    const told = pieces.flatMap(({ rungs }) => rungs.filter((it) => it.rung === rung.name))
    const [first] = told
    if (first === undefined) return []
    const { codecs = rung.codecs } = first
    return [{ rung: { ...rung, codecs }, rendition: joined(rung.name, pieces) }]
  })

const isSound = (made: ReadonlyArray<Made>, lowest: Rendition) =>
  made.length > 0 &&
  made.every(
    ({ rendition }) =>
      Result.isSuccess(withoutGap(rendition)) && Result.isSuccess(aligned(lowest, rendition)),
  )

export const packageMore = stage(
  Input,
  Effect.fn("stage.packageMore")(function* (task, input) {
    const { manifest: packaged, media, rungs: ladder, audio, text } = input
    const offered = publishedRungs(ladder, packaged)
    const before = yield* Effect.forEach(offered, (rung) => publishedRendition(task, rung))
    const lowest = before[0]?.rendition
    if (lowest === undefined) return yield* new InputsUnreadable({ issue: "there is no rung" })
    const sounds = yield* Effect.forEach(audio?.renditions ?? [], (sound) => soundOf(task, sound))

    const asked = Codec.literals.filter((codec) => (input[codec] ?? []).length > 0)
    const all = asked.map((codec) => {
      const candidates = rungsIn(codec, offered, media.video.framesPerSecond)
      return { codec, made: madeIn(candidates, input[codec] ?? []) }
    })
    const whole = all.filter(({ made }) => isSound(made, lowest))
    const leftOut = asked.filter((codec) => !whole.some((it) => it.codec === codec))
    const added = whole.flatMap(({ made }) => made)
    yield* Effect.forEach(added, ({ rung, rendition }) => {
      const pieces = input[rung.codec ?? "av1"] ?? []
      const told = pieces.flatMap(({ rungs }) => rungs.filter((it) => it.rung === rung.name))
      return oneHeader(task, rung.name, [rendition.initBytes, ...told.map((it) => it.initBytes)])
    })
    if (added.length === 0) return { outputs: { leftOut }, cpuSeconds: 0 }

    const renditions = [...before, ...added].map(({ rendition }) => rendition)
    const targetDuration = targetDurationOf(media, [...renditions, ...sounds])
    const news = added.map(({ rendition }) => measured(rendition, targetDuration))
    const figures = [...packaged.rungs, ...news]
    const rungs = [...before, ...added].map(({ rung }) => rung)
    yield* writeManifests(task, {
      ...{ media, rungs, figures, targetDuration, names: EXTENDED },
      sounds: audio?.renditions ?? [],
      text: text ?? { tracks: [], chapters: [] },
      renditions: [...renditions, ...sounds],
    })
    const extended: Packaged = {
      key: manifest(task.videoId, task.run, EXTENDED.hls),
      rungs: figures,
    }
    return { outputs: { manifest: extended, rungs, leftOut }, cpuSeconds: 0 }
  }),
)
