/**
 * ffprobe in the sandbox: streams, packets and frames as rows of `key=value`, parsed as they come,
 * so that an hour of packets is never one text. Its failures are told as codes.
 */
import { Effect } from "effect"
import { SourceRefused, TimedOut } from "./port.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { type Demuxer, inputArguments } from "./sniff.ts"

export type Row = ReadonlyMap<string, string>

export interface Probed {
  readonly streams: ReadonlyArray<Row>
  readonly format: Row
  readonly isComplete: boolean
  readonly stderr: string
  readonly cpuSeconds: number
  readonly peakMebibytes: number
}

export const streamEntries =
  "stream=index,codec_type,codec_name,codec_tag_string,width,height,coded_width,coded_height," +
  "pix_fmt,sample_aspect_ratio,field_order,color_transfer,color_range,time_base,bit_rate," +
  "channels,sample_rate:stream_disposition=attached_pic,default,forced,hearing_impaired:" +
  "stream_tags=language,title:stream_side_data=rotation:format=duration:chapter=id"

export interface ProbeJob {
  readonly file: string
  readonly demuxer: Demuxer
  readonly entries: string
  readonly options: ReadonlyArray<string>
  readonly onRow: (section: string, row: Row) => void
  /** Decoding all frames takes its time. */
  readonly cpuSeconds?: number
}

const limits = {
  mebibytes: 1024,
  outputMebibytes: 0,
  /** 12 h at 60 frames/s, with sound. */
  stdoutBytes: 512 * 2 ** 20,
}

/** A row of ffprobe's has a few hundred characters; only a hostile tag makes a long one. */
const LONGEST_LINE = 2 ** 20

/** What a user wrote may hold the separator, escaped: it is no field of its own. */
const fieldsOf = (line: string): ReadonlyArray<string> =>
  line.includes("\\") ? (line.match(/(?:\\.|[^|\\])+/g) ?? []) : line.split("|")

/** A text a user wrote, as it was before ffprobe escaped it, on one line. */
export const plainText = (escaped: string): string =>
  escaped.replace(/\\(.)/g, (_, letter: string) => (/[nrtbf]/.test(letter) ? " " : letter))

const rowOf = (line: string): readonly [string, Row] => {
  const [section = "", ...fields] = fieldsOf(line)
  const row = new Map(
    fields.map((field) => {
      const at = field.indexOf("=")
      return [field.slice(0, at), field.slice(at + 1)] as const
    }),
  )
  return [section, row]
}

export const probe = Effect.fn("probe")(function* (sandbox: Sandbox, job: ProbeJob) {
  const cpuSeconds = job.cpuSeconds ?? 10
  const running = yield* sandbox.start({
    tool: "ffprobe",
    arguments: [
      ...["-v", "error", "-of", "compact", "-show_entries", job.entries],
      ...job.options,
      ...inputArguments(job.demuxer),
    ],
    input: job.file,
    outputs: [],
    limits: { ...limits, cpuSeconds, wallSeconds: 2 * cpuSeconds + 10 },
  })
  const streams: Array<Map<string, string>> = []
  let format: Row = new Map()
  const take = (line: string) => {
    const [section, row] = rowOf(line)
    // A transport stream tells each twice: under its program with less.
    const known = streams.find((stream) => stream.get("index") === row.get("index"))
    if (section === "stream" && known === undefined) streams.push(new Map(row))
    else if (section === "stream") for (const [key, value] of row) known?.set(key, value)
    // Of several, each on a line of its own behind its stream.
    else if (section === "side_data" && streams.length > 0)
      for (const [key, value] of row) streams.at(-1)?.set(key, value)
    else if (section === "format") format = row
    else if (section !== "") job.onRow(section, row)
  }
  let rest = ""
  const text = new TextDecoder()
  for (let part = yield* running.take; part !== null; part = yield* running.take) {
    const lines = (rest + text.decode(part, { stream: true })).split("\n")
    rest = lines.pop() ?? ""
    if (rest.length > LONGEST_LINE) return yield* new SourceRefused({ code: "too_expensive" })
    for (const line of lines) take(line)
  }
  const { ending, stderr, peakMebibytes, cpuSeconds: spent } = yield* running.outcome
  if (/exceeds specified max pixel|Picture size .* is invalid/.test(stderr) && ending === "failed")
    return yield* new SourceRefused({ code: "too_many_pixels" })
  if (ending === "attack") return yield* new SourceRefused({ code: "hostile_input" })
  if (ending === "memory" || ending === "stdout" || ending === "cpu")
    return yield* new SourceRefused({ code: "too_expensive" })
  if (ending === "wall") return yield* new TimedOut({ limit: "wall", seconds: 2 * cpuSeconds + 10 })
  if (stderr.includes("not on whitelist") && ending !== "ok")
    return yield* new SourceRefused({ code: "unsupported_codec" })
  const found: Probed = {
    streams,
    format,
    isComplete: ending === "ok",
    stderr,
    cpuSeconds: spent,
    peakMebibytes,
  }
  return found
}, Effect.scoped)
