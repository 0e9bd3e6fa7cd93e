/**
 * The picture of a watermark: an image made anew, or a text set in fonts for any script. What comes
 * out is a PNG of pixels alone that shines through where the mark is not. A text is read from a file
 * and nothing in it is an instruction.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { sniffImage } from "#domain/video/still-image.ts"
import { failureOf } from "./failures.ts"
import { fitted, imageInput, imageLimits, isTooLarge, once, shownSize } from "./own-image.ts"
import { ImageRefused, type MarkJob } from "./port.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { readScratch, scratch } from "./scratch.ts"

/** More than any rung shows of one. */
const longestSide = 1024
const page = { width: 4096, height: 320 }

const png = [
  ...["-map_metadata", "-1", "-c:v", "png", "-threads", "1", "-flags", "+bitexact"],
  ...["-f", "image2pipe", "/out/0"],
]

/** White with a black edge: to be seen on any picture. */
const style = "Noto Sans,140,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000"

/**
 * A page of subtitles, because they are set by fonts of every script, in both directions. Braces
 * would begin instructions, a backslash a letter with a meaning: a joiner, not to be seen, parts them.
 */
export const pageOf = (text: string) => {
  const plain = text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll("\\", "\\\u2060")
    .replaceAll("{", "\\{")
    .replaceAll("}", "\\}")
  return `[Script Info]
ScriptType: v4.00+
PlayResX: ${page.width}
PlayResY: ${page.height}
WrapStyle: 2

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,${style},0,0,0,0,100,100,0,0,1,6,0,5,0,0,0,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.00,0:00:10.00,Default,,0,0,0,,${plain}
`
}

const boxIn = (told: string) => {
  const of = (name: string) => Number(new RegExp(`lavfi\\.bbox\\.${name}=(\\d+)`).exec(told)?.[1])
  const box = { x: of("x1"), y: of("y1"), width: of("w"), height: of("h") }
  return Number.isNaN(box.x + box.y + box.width + box.height) ? null : box
}

export const markWith = (sandbox: Sandbox) =>
  Effect.fn("mark")(function* ({ bytes, kind, directory }: MarkJob) {
    const spent = { cpuSeconds: 0, peakMebibytes: 0 }
    const file = join(directory, "mark")
    const limits: Confined["limits"] = { ...imageLimits, outputMebibytes: 8 }

    const run = Effect.fnUntraced(function* (words: ReadonlyArray<string>) {
      const made = join(directory, "mark.out")
      const outcome = yield* sandbox.run({
        ...{ tool: "ffmpeg", arguments: words, input: file, outputs: [made], limits },
      })
      spent.cpuSeconds += outcome.cpuSeconds
      spent.peakMebibytes = Math.max(spent.peakMebibytes, outcome.peakMebibytes)
      const output = yield* readScratch(directory, "mark.out")
      if (outcome.ending === "ok") return { output, told: outcome.stdout }
      const failure = failureOf(outcome, limits)
      if (failure !== null && failure._tag !== "SourceRefused") return yield* failure
      const code = isTooLarge(outcome.stderr) ? "too_many_pixels" : "unreadable_image"
      return yield* new ImageRefused({ code })
    })

    const ofImage = Effect.gen(function* () {
      const format = sniffImage(bytes)
      if (format === null) return yield* new ImageRefused({ code: "not_an_image" })
      yield* scratch(() => writeFile(file, bytes))
      const input = imageInput(format)
      const look = yield* run([
        ...[...input, ...once, "-fps_mode", "passthrough", "-f", "framecrc", "/out/0"],
      ])
      const size = shownSize(look.output.toString("latin1"))
      if (size === null) return yield* new ImageRefused({ code: "unreadable_image" })
      const { width, height } = fitted(size, longestSide)
      const scale = `scale=${width}:${height}:flags=bicubic,setsar=1,format=rgba`
      const { output } = yield* run([...input, "-vf", scale, ...once, ...png])
      return { output, width, height }
    })

    const ofText = Effect.gen(function* () {
      yield* scratch(() => writeFile(file, pageOf(new TextDecoder().decode(bytes))))
      const { width, height } = page
      const paper = `color=c=black@0:s=${width}x${height}:r=1:d=1,format=rgba`
      const set = [
        ...["-v", "error", "-nostdin", "-y", "-filter_threads", "1"],
        ...["-f", "lavfi", "-i", paper],
      ]
      const written = `ass=/in:alpha=1`
      const { told } = yield* run([
        ...[...set, "-vf", `${written},alphaextract,bbox=min_val=1,metadata=print:file=-`],
        ...[...once, "-f", "null", "-"],
      ])
      const box = boxIn(told)
      // No letter of it is in any font.
      if (box === null) return yield* new ImageRefused({ code: "unreadable_image" })
      const crop = `crop=${box.width}:${box.height}:${box.x}:${box.y}`
      // Drawn upon nothing, its colours are those of a mark upon black.
      const filter = `${written},${crop},format=gbrap,unpremultiply=inplace=1,format=rgba`
      const { output } = yield* run([...set, "-vf", filter, ...once, ...png])
      return { output, width: box.width, height: box.height }
    })

    const { output, width, height } = yield* kind === "image" ? ofImage : ofText
    if (output.length === 0) return yield* new ImageRefused({ code: "unreadable_image" })
    return { data: new Uint8Array(output), width, height, ...spent }
  })
