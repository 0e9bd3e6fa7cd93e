/** How ffmpeg is told to encode a rung in another codec than H.264, and what is told alike for all. */
import { levelIn } from "#domain/transcode/codecs.ts"
import { type Codec, type Rung, TICKS } from "#domain/transcode/facts.ts"
import type { OpenedIndex } from "./source-index.ts"

/** Every frame once, at its own time. */
export const timedExactly = [...["-an", "-fps_mode", "passthrough", "-enc_time_base", `1:${TICKS}`]]

export const intoFragments = [
  ...["-map_metadata", "-1", "-map_chapters", "-1"],
  ...["-video_track_timescale", String(TICKS), "-use_editlist", "1", "-movflags"],
  "+empty_moov+default_base_moof+frag_keyframe+frag_discont+delay_moov",
  ...["-f", "mp4"],
]

/** Over the whole video, thousandths: a piece alone might be guessed otherwise. */
const frameRateOf = ({ video, end }: OpenedIndex) =>
  Math.round((video.frames.length * TICKS * 1000) / Math.max(1, end)) || 1

/** Each about as like the source as H.264 at its 23: `scripts/bench/codecs`. */
const encoders: Readonly<Record<Codec, (index: OpenedIndex, rung: Rung) => ReadonlyArray<string>>> =
  {
    // By quality alone: with a cap beside it, libvpx starves pictures whose times are so fine.
    vp9: () => [
      ...["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "5", "-crf", "33", "-b:v", "0"],
      ...["-row-mt", "0", "-tile-columns", "0"],
    ],
    hevc: (index, rung) => [
      ...["-c:v", "libx265", "-preset", "superfast", "-crf", "23", "-tag:v", "hvc1"],
      ...["-forced-idr", "1", "-x265-params"],
      [
        ...["log-level=none", "pools=none", "frame-threads=1", "no-wpp=1", "info=0"],
        ...["open-gop=0", "scenecut=0", "repeat-headers=0", "vui-timing-info=0"],
        ...[`level-idc=${levelIn(rung)}`, "high-tier=0", `fps=${frameRateOf(index)}/1000`],
        `vbv-maxrate=${rung.maxBitsPerSecond / 1000}`,
        `vbv-bufsize=${(2 * rung.maxBitsPerSecond) / 1000}`,
      ].join(":"),
    ],
    av1: (_, rung) => [
      ...["-c:v", "libsvtav1", "-preset", "10", "-crf", "38", "-level", String(levelIn(rung))],
      ...["-maxrate", String(rung.maxBitsPerSecond), "-svtav1-params", "lp=1"],
    ],
  }

export const otherEncoding = (
  index: OpenedIndex,
  rung: Rung,
  keyFrames: string,
  colours: ReadonlyArray<string>,
): ReadonlyArray<string> => [
  ...timedExactly,
  ...(rung.codec === undefined ? [] : encoders[rung.codec](index, rung)),
  ...["-g", "9999", "-keyint_min", "1", "-force_key_frames", keyFrames, "-threads", "1"],
  ...[...colours, "-color_range", "tv", ...intoFragments],
]

/** SVT-AV1 makes key frames where it likes: asked for some, it makes the first alone. */
export const hearsOfKeyFrames = ({ codec }: Rung): boolean => codec !== "av1"
