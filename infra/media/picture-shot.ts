/** One run of ffmpeg that takes pictures out of a source: what it is told, and its limits. */
import { join } from "node:path"
import { Effect } from "effect"
import { failureOf } from "./failures.ts"
import type { Confined } from "./sandbox/command.ts"
import type { Sandbox } from "./sandbox/sandbox.ts"
import { inputArguments } from "./sniff.ts"
import type { OpenedIndex } from "./source-index.ts"
import type { LocalFile } from "./sparse.ts"

/** Up to its input. */
export const inputOf = (index: OpenedIndex, local: LocalFile, before: ReadonlyArray<string>) => [
  ...["-v", "error", "-nostdin", "-y", "-copyts", "-threads", "1", "-filter_threads", "1"],
  ...["-filter_complex_threads", "1", "-max_error_rate", "1", "-max_alloc", String(2 ** 30)],
  ...(local.isCut ? ["-probesize", "32", "-analyzeduration", "0"] : []),
  ...before,
  ...inputArguments(index.demuxer),
]

export const plain = ["-an", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]
export const everyFrame = ["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]

const limitsFor = ({ video }: OpenedIndex, frames: number): Confined["limits"] => {
  const cpuSeconds = 30 + Math.ceil((video.width * video.height * frames) / 20_000_000)
  return {
    mebibytes: 2560 + Math.ceil((video.width * video.height) / 10_000),
    cpuSeconds,
    wallSeconds: 4 * cpuSeconds,
    outputMebibytes: 32,
    stdoutBytes: 64 * 1024,
  }
}

export const shoot = (sandbox: Sandbox) =>
  Effect.fn("shoot")(function* (
    index: OpenedIndex,
    local: LocalFile,
    directory: string,
    frames: number,
    words: ReadonlyArray<string>,
    outputs: ReadonlyArray<string>,
  ) {
    const command: Confined = {
      tool: "ffmpeg",
      arguments: words,
      input: local.path,
      outputs: outputs.map((name) => join(directory, name)),
      limits: limitsFor(index, frames),
    }
    const outcome = yield* sandbox.run(command)
    const failure = failureOf(outcome, command.limits)
    return failure === null ? outcome : yield* failure
  })
