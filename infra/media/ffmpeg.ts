/** The media programs: ffmpeg and ffprobe in the sandbox. `REELOG_PROGRAMS` names a folder they were unpacked into, `REELOG_COPY_TOP_RUNG=false` has every rung encoded. */
import { Config, Effect, Layer, Option } from "effect"
import { firstGroups, planPieces } from "#domain/transcode/chunks.ts"
import type { Rung } from "#domain/transcode/facts.ts"
import { cutOf } from "./attempts.ts"
import { encodeAudioWith } from "./audio.ts"
import { buildOf } from "./build.ts"
import { bySegments } from "./by-segments.ts"
import { copyingWith } from "./copy/encode-copied.ts"
import { encodeWith } from "./encode.ts"
import { inspectWith } from "./inspect.ts"
import { withLook } from "./look.ts"
import { markWith } from "./mark.ts"
import { ownImageWith } from "./own-image.ts"
import { storyboardWith, thumbnailsWith } from "./pictures.ts"
import { MediaTools, type PlannedPiece } from "./port.ts"
import { programsIn } from "./sandbox/programs.ts"
import { openSandbox } from "./sandbox/sandbox.ts"
import { openIndex, timelineOf } from "./source-index.ts"
import { rangesOf } from "./sparse.ts"
import { extractTextWith } from "./text.ts"

const split = (index: Uint8Array, rungs: ReadonlyArray<Rung>) =>
  Effect.sync((): ReadonlyArray<PlannedPiece> => {
    const opened = openIndex(index)
    return planPieces(timelineOf(opened), firstGroups(rungs)).map((piece) => ({
      piece,
      ranges: rangesOf(opened, cutOf(opened, piece.from, piece.to).stretch),
    }))
  })

const copyTopRung = Config.withDefault(Config.Boolean("REELOG_COPY_TOP_RUNG"), true)
const unpackedPrograms = Config.option(Config.String("REELOG_PROGRAMS"))

/** Fails with `SandboxUnavailable` where no program can be confined: nothing is run then. */
export const ffmpegMediaTools = Layer.effect(
  MediaTools,
  Effect.gen(function* () {
    const unpacked = yield* unpackedPrograms
    const programs = programsIn(Option.getOrNull(unpacked))
    const sandbox = yield* openSandbox(programs)
    return MediaTools.of({
      build: yield* buildOf(programs),
      sandbox: sandbox.kind,
      inspect: inspectWith(sandbox, yield* copyTopRung),
      look: withLook,
      split,
      encode: copyingWith(sandbox, bySegments(encodeWith(sandbox))),
      encodeAudio: encodeAudioWith(sandbox),
      extractText: extractTextWith(sandbox),
      thumbnails: thumbnailsWith(sandbox),
      ownImage: ownImageWith(sandbox),
      mark: markWith(sandbox),
      storyboard: storyboardWith(sandbox),
    })
  }),
)
