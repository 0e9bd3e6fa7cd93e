/** Local files of a task: written from bytes of the source, holes included. */
import { open, readFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { type ByteRange, ScratchUnavailable, type Source } from "./port.ts"

const blockBytes = 8 * 2 ** 20

export const scratch = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({ try: work, catch: (cause) => new ScratchUnavailable({ cause }) })

export interface Placed {
  readonly at: number
  readonly bytes: Uint8Array
}
/** Bytes of the source, moved by `shift`. */
export interface Copied {
  readonly range: ByteRange
  readonly shift: number
}

/** A file of given length; what is neither placed nor copied is a hole. */
export const writeSparse = Effect.fn("writeSparse")(function* <E>(
  path: string,
  length: number,
  placed: ReadonlyArray<Placed>,
  source: Source<E>,
  copied: ReadonlyArray<Copied>,
) {
  const file = yield* Effect.acquireRelease(
    scratch(() => open(path, "w")),
    (opened) => Effect.promise(() => opened.close()),
  )
  yield* scratch(() => file.truncate(length))
  const put = (bytes: Uint8Array, at: number) =>
    scratch(() => file.write(bytes, 0, bytes.length, at))
  for (const { at, bytes } of placed) yield* put(bytes, at)
  for (const { range, shift } of copied) {
    for (let from = range.from; from < range.to; from += blockBytes) {
      const to = Math.min(range.to, from + blockBytes)
      yield* put(yield* source.read({ from, to }), from + shift)
    }
  }
  return path
}, Effect.scoped)

export const readScratch = (directory: string, name: string) =>
  scratch(() => readFile(join(directory, name)))

/** Ordered, without overlaps; gaps smaller than a request is worth are filled. */
export const mergeRanges = (
  ranges: ReadonlyArray<ByteRange>,
  nearest = 64 * 1024,
): ReadonlyArray<ByteRange> => {
  const merged: Array<{ from: number; to: number }> = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + nearest) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}
