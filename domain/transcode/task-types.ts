/**
 * What a task type takes and gives, by kinds of value, and the built-in types. A worker has the
 * code of a type under the same name; a new one is added here and there.
 */

/** Name → kind. `chunk*` is a stream of pieces, `image?` may be left out, `any` fits everything. */
export type Kinds = Readonly<Record<string, string>>

export interface TaskType<Input extends Kinds = Kinds, Output extends Kinds = Kinds> {
  readonly type: string
  readonly input: Input
  readonly output: Output
  /** What one task is expected to cost, for fair shares between channels. */
  readonly seconds: number
}

export const defineTask = <const Input extends Kinds, const Output extends Kinds>(
  type: string,
  input: Input,
  output: Output,
  seconds = 1,
): TaskType<Input, Output> => ({ type, input, output, seconds })

const ofSource = { source: "source", media: "media" } as const

export const Inspect = defineTask(
  "Inspect",
  { source: "source", watermark: "watermark?" },
  { media: "media", rungs: "rungs", index: "index" },
  2,
)
export const Split = defineTask(
  "Split",
  { ...ofSource, rungs: "rungs", index: "index" },
  { chunks: "chunk*" },
  5,
)
/** An example of a type of one's own: what reads its index instead of Inspect's makes gray pictures. */
const Grayscale = defineTask("Grayscale", { index: "index" }, { index: "index" })
export const EncodeVideo = defineTask(
  "EncodeVideo",
  { ...ofSource, chunk: "chunk", rungs: "rungs", index: "index", watermark: "watermark?" },
  { segments: "segment" },
  8,
)
export const EncodeAudio = defineTask(
  "EncodeAudio",
  { ...ofSource, index: "index" },
  { audio: "audio" },
  5,
)
export const ExtractText = defineTask(
  "ExtractText",
  { ...ofSource, index: "index" },
  { text: "text" },
)
export const Thumbnails = defineTask(
  "Thumbnails",
  { ...ofSource, index: "index" },
  { images: "images" },
  2,
)
export const Storyboard = defineTask(
  "Storyboard",
  { ...ofSource, index: "index" },
  { storyboard: "storyboard" },
  5,
)
export const Package = defineTask(
  "Package",
  {
    video: "segment*",
    audio: "audio",
    media: "media",
    rungs: "rungs",
    index: "index?",
    text: "text?",
  },
  { manifest: "manifest" },
)
/** The ladder in another codec, beside H.264. */
export const EncodeMore = defineTask(
  "EncodeMore",
  {
    ...ofSource,
    chunk: "chunk",
    rungs: "rungs",
    index: "index",
    /** So that only rungs are made that are offered. */
    manifest: "manifest",
    codec: "codec",
    maxHeight: "number?",
    watermark: "watermark?",
  },
  { segments: "segment" },
  16,
)
/** The manifests anew, of what was published and of these as well. */
export const PackageMore = defineTask(
  "PackageMore",
  {
    manifest: "manifest",
    media: "media",
    rungs: "rungs",
    audio: "audio",
    text: "text?",
    vp9: "segment*?",
    hevc: "segment*?",
    av1: "segment*?",
  },
  { manifest: "manifests" },
)
export const Publish = defineTask(
  "Publish",
  { manifest: "manifest", thumbnails: "images", storyboard: "storyboard" },
  {},
)
const Download = defineTask("Download", { url: "url" }, { file: "file" }, 5)
const Transcode = defineTask(
  "Transcode",
  { input: "file", config: "json", watermark: "watermark?" },
  { outputVideo: "manifest" },
  30,
)

export const builtInTypes: ReadonlyArray<TaskType> = [
  Inspect,
  Split,
  Grayscale,
  EncodeVideo,
  EncodeAudio,
  ExtractText,
  Thumbnails,
  Storyboard,
  Package,
  EncodeMore,
  PackageMore,
  Publish,
  Download,
  Transcode,
]
