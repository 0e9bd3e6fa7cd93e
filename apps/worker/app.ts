/**
 * The worker process: registers as two workers, `light` for what may wait for bytes and `encode`
 * for what keeps a core busy, each with slots of its own.
 */
import { Duration, Effect, Layer } from "effect"
import { doneOnce } from "./done-once.ts"
import { type Slots, takenBy } from "./kinds.ts"
import { lives } from "./life.ts"
import { ownImages } from "./own-images.ts"
import type { Stages } from "./run-task.ts"
import { type ScratchSettings, scratch } from "./scratch.ts"
import type { WorkerSettings } from "./settings.ts"
import { sources } from "./source.ts"
import { download } from "./stages/download.ts"
import { encodeAudio } from "./stages/encode-audio.ts"
import { encodeMore } from "./stages/encode-more.ts"
import { encodeVideo } from "./stages/encode-video.ts"
import { extractText } from "./stages/extract-text.ts"
import { grayscale } from "./stages/grayscale.ts"
import { inspect } from "./stages/inspect.ts"
import { packageVideo } from "./stages/package.ts"
import { packageMore } from "./stages/package-more.ts"
import { publish } from "./stages/publish.ts"
import { split } from "./stages/split.ts"
import { storyboard } from "./stages/storyboard.ts"
import { thumbnails } from "./stages/thumbnails.ts"
import { transcode } from "./stages/transcode.ts"
import { watermarks } from "./watermarks.ts"

/** A task type's code stands here under the type's name. */
export const builtInStages: Readonly<Record<Slots, Stages>> = {
  light: {
    Inspect: inspect,
    Split: split,
    EncodeAudio: doneOnce("EncodeAudio", encodeAudio),
    Download: download,
  },
  encode: {
    EncodeVideo: doneOnce("EncodeVideo", encodeVideo),
    EncodeMore: doneOnce("EncodeMore", encodeMore),
    Grayscale: grayscale,
    ExtractText: doneOnce("ExtractText", extractText),
    Thumbnails: doneOnce("Thumbnails", thumbnails),
    Storyboard: doneOnce("Storyboard", storyboard),
    // They wait for nothing: uploads that pause, and hold light slots, must not hold up what is done.
    Package: packageVideo,
    PackageMore: packageMore,
    Publish: publish,
    Transcode: transcode,
  },
}

/** Whoever takes pictures out of videos also makes those anew that owners upload. */
const takesPictures = (all: ReadonlyArray<{ readonly stages: Stages }>) =>
  all.some(({ stages }) => "Thumbnails" in stages)

/** Runs until it is interrupted; then every task has been given back and no child process is left. */
export const worker = (
  { cell, kinds, slots, patienceSeconds }: WorkerSettings,
  scratchSettings: ScratchSettings,
  stages = builtInStages,
) => {
  const taken = takenBy(kinds, stages)
  const allLives = Effect.forEach(
    taken,
    (one) => lives({ cell, slots: slots[one.slots], stages: one.stages }),
    { concurrency: "unbounded", discard: true },
  )
  const besides = takesPictures(taken) ? [ownImages, watermarks] : []
  return Effect.all([allLives, ...besides], { concurrency: "unbounded", discard: true }).pipe(
    Effect.provide(
      Layer.provideMerge(sources(Duration.seconds(patienceSeconds)), scratch(scratchSettings)),
    ),
  )
}
