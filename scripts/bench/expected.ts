/** What the manifest of a folder of test videos expects of a file, and whether an outcome is that. */
import type { Judged } from "../../apps/platform/judge.ts"

export interface Expected {
  readonly file: string
  readonly text: string
  /** Codes with which it may be refused; none: it has to play. */
  readonly codes: ReadonlyArray<string>
  readonly mayPlay: boolean
  readonly shown: {
    readonly width: number
    readonly height: number
    readonly frames: number
    readonly seconds: number
    readonly hasSound: boolean
  } | null
}

/** Its reasons, as the platform's codes. Several: what ffprobe can tell of a broken file. */
const codesOf: ReadonlyArray<readonly [reason: RegExp, codes: ReadonlyArray<string>]> = [
  [/: empty/, ["empty"]],
  [/not a video|images are not videos|playlist|concat script|manifest/, ["not_a_video"]],
  [/no media/, ["no_media", "unreadable"]],
  [/truncated/, ["too_long"]],
  [/encrypted/, ["encrypted"]],
  [/duration/, ["too_long", "no_decodable_frames"]],
  [/resolution limit|size limit/, ["too_many_pixels"]],
  [/no video stream/, ["no_video"]],
  [/unsupported codec/, ["unsupported_codec"]],
  [/too small/, ["no_picture_size"]],
  [
    /truncated|corrupt|not readable|moov missing|invalid|no decodable|external reference|no crash|rejected or|or rejected/,
    ["unreadable", "no_media", "no_video", "no_picture_size", "no_decodable_frames"],
  ],
]

export const expectedOf = (file: string, text: string): Expected => {
  const isRefusable = /rejected/.test(text)
  const found = codesOf.filter(([reason]) => reason.test(text)).flatMap(([, codes]) => codes)
  const size = /(\d+)x(\d+) display, (\d+) frames, ([\d.]+)s, (no audio|audio)/.exec(text)
  return {
    file,
    text,
    codes: isRefusable ? found : [],
    mayPlay: /plays|completes|accepted/.test(text),
    shown:
      size === null || /if played/.test(text)
        ? null
        : {
            width: Number(size[1]),
            height: Number(size[2]),
            frames: Number(size[3]),
            seconds: Number(size[4]),
            hasSound: size[5] === "audio",
          },
  }
}

export const expectations = (manifest: string): ReadonlyArray<Expected> =>
  manifest
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.split("\t"))
    .map((cells) => expectedOf(cells[0] ?? "", cells.at(-1) ?? ""))

export interface MediaTold {
  readonly video: { readonly width: number; readonly height: number }
  readonly durationTicks: number
  readonly damaged?: boolean
}

const even = (length: number) => Math.max(2, Math.round(length / 2) * 2)
const nearly = (one: number, other: number) => Math.abs(one - other) <= 2

/** In words, beside what the judge found in the stream; none: as expected. */
export const unexpected = (
  { shown }: Expected,
  media: MediaTold,
  judged: Judged,
): ReadonlyArray<string> => {
  if (shown === null) return []
  const { width, height } = media.video
  const frame = shown.frames > 1 ? shown.seconds / (shown.frames - 1) : 0.1
  const off = Math.abs(judged.seconds - judged.heldSeconds - shown.seconds)
  const isTurned = judged.width > judged.height !== width > height && width !== height
  return [
    ...(nearly(width, even(shown.width)) && nearly(height, even(shown.height))
      ? []
      : [`${width}x${height} shown`]),
    ...(isTurned ? [`${judged.width}x${judged.height} in the top rung`] : []),
    ...(judged.sourceFrames === shown.frames
      ? []
      : [`the judge sees ${judged.sourceFrames} frames`]),
    ...(off <= 1.5 * frame + 0.05 ? [] : [`${judged.seconds.toFixed(3)} s`]),
    ...(judged.hasSound === shown.hasSound ? [] : [judged.hasSound ? "a sound" : "no sound"]),
  ]
}
