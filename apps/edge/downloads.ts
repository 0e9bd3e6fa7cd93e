/**
 * A published rung as one file to keep, put together from its segments while it is sent: only the
 * table at its head is made, once for all who ask, and held in a bounded memory.
 */
import { Deferred, Effect, Semaphore, Stream } from "effect"
import { initSegment, manifest, segment } from "#domain/keys.ts"
import { DEFAULT_SOUND } from "#domain/transcode/facts.ts"
import {
  type Progressive,
  progressive,
  ROWS_BYTES,
  rowsMissing,
  type SampleTable,
  type Slice,
  sampleTable,
  trackHeader,
} from "#domain/transcode/progressive.ts"
import { segmentHead } from "#domain/transcode/segment-head.ts"
import {
  ObjectNotFound,
  ObjectStore,
  type ObjectStoreUnavailable,
} from "#infra/object-store/port.ts"
import type { Range } from "./answers.ts"
import type { Cached, DiskCache } from "./disk-cache.ts"

export interface Download extends Progressive {
  readonly etag: string
}

type Failure = ObjectNotFound | ObjectStoreUnavailable

/** Heads held, bytes; made at once; segments read before their rows are added; reads at once. */
const HELD_BYTES = 64 * 2 ** 20
const MAKERS = 2
const WINDOW = 64
const READS_AT_ONCE = 16

/** The numbers that our own list names. */
const numbersIn = (list: string): ReadonlyArray<number> =>
  [...list.matchAll(/\/([0-9]+)\.m4s$/gm)].map(([, k]) => Number(k))

const windows = (numbers: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: Math.ceil(numbers.length / WINDOW) }, (_, i) =>
    numbers.slice(i * WINDOW, (i + 1) * WINDOW),
  )

const make = Effect.fn("makeDownload")(function* (videoId: string, run: number, rung: string) {
  const objects = yield* ObjectStore

  const rowsOf = Effect.fnUntraced(function* (key: string) {
    const bytes = yield* objects.get(key, { from: 0, to: ROWS_BYTES })
    const head = segmentHead(bytes)
    const needed = head === null ? null : rowsMissing(bytes, head)
    return {
      key,
      bytes: needed === null ? bytes : yield* objects.get(key, { from: 0, to: needed }),
    }
  })

  const tableOf = Effect.fnUntraced(function* (name: string) {
    const list = yield* objects.get(manifest(videoId, run, `${name}.m3u8`))
    const initKey = initSegment(videoId, run, name)
    const header = trackHeader(yield* objects.get(initKey))
    if (header === null) return yield* new ObjectNotFound({ key: initKey })
    const table = sampleTable(header)
    for (const window of windows(numbersIn(new TextDecoder().decode(list)))) {
      const heads = yield* Effect.forEach(window, (k) => rowsOf(segment(videoId, run, name, k)), {
        concurrency: READS_AT_ONCE,
      })
      for (const { key, bytes } of heads) {
        if (!table.add(key, bytes)) return yield* new ObjectNotFound({ key })
      }
    }
    return table
  })

  const pictures = yield* tableOf(rung)
  const sound = yield* tableOf(DEFAULT_SOUND).pipe(
    Effect.catchTag("ObjectNotFound", () => Effect.succeed(null)),
  )
  const tables: ReadonlyArray<SampleTable> = sound === null ? [pictures] : [pictures, sound]
  const file = progressive(tables)
  const hash = new Bun.CryptoHasher("sha256").update(file.head).digest("hex")
  return { ...file, etag: `"${hash.slice(0, 32)}"` } satisfies Download
})

/** The slices a range touches; the first is found without a walk. */
const touched = (slices: ReadonlyArray<Slice>, from: number, to: number) => {
  let [low, high] = [0, slices.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const slice = slices[middle]
    if (slice !== undefined && slice.at + slice.bytes <= from) low = middle + 1
    else high = middle
  }
  const end = slices.findIndex((slice, i) => i >= low && slice.at >= to)
  return slices.slice(low, end < 0 ? slices.length : end)
}

const blobOf = ({ body }: Cached) => (body instanceof Blob ? body : new Blob([body]))

const CLOSED = { done: true, value: undefined } as const

export const downloads = Effect.fn("downloads")(function* (cache: DiskCache) {
  const objects = yield* ObjectStore
  const scope = yield* Effect.scope
  const permits = Semaphore.makeUnsafe(MAKERS)
  const held = new Map<string, Download>()
  const making = new Map<string, Deferred.Deferred<Download, Failure>>()
  let heldBytes = 0

  const hold = (name: string, made: Download) => {
    held.set(name, made)
    heldBytes += made.head.length
    for (const [oldest, { head }] of held) {
      if (heldBytes <= HELD_BYTES || oldest === name) break
      held.delete(oldest)
      heldBytes -= head.length
    }
  }

  const find = Effect.fn("findDownload")(function* (videoId: string, run: number, rung: string) {
    const name = `${videoId}.${run}/${rung}`
    const here = held.get(name)
    if (here !== undefined) return here
    const already = making.get(name)
    if (already !== undefined) return yield* Deferred.await(already)
    const done = Deferred.makeUnsafe<Download, Failure>()
    making.set(name, done)
    // Not a child of this request: others wait for the same, and this one may hang up.
    const finish = make(videoId, run, rung).pipe(
      Effect.provideService(ObjectStore, objects),
      permits.withPermit,
      Effect.tap((made) => Effect.sync(() => hold(name, made))),
      Effect.exit,
      Effect.flatMap((exit) => {
        making.delete(name)
        return Deferred.done(done, exit)
      }),
    )
    yield* Effect.forkIn(finish, scope)
    return yield* Deferred.await(done)
  })

  /** Bytes as they are read. */
  const bytesOf = async function* (
    { head, slices }: Download,
    from: number,
    to: number,
  ): AsyncGenerator<Uint8Array> {
    if (from < head.length) yield head.subarray(from, Math.min(to, head.length))
    for (const slice of touched(slices, from, to)) {
      const begin = slice.from + Math.max(0, from - slice.at)
      const end = slice.from + Math.min(slice.bytes, to - slice.at)
      const cached = cache.peek(slice.source)
      const body =
        cached === undefined
          ? Stream.toAsyncIterable(objects.stream(slice.source, { from: begin, to: end }))
          : blobOf(cached).slice(begin, end).stream()
      yield* body
    }
  }

  /** The door is asked again for each bit of it; cut short, a file does not look whole. */
  const stream = (
    download: Download,
    { from, to }: Range,
    isOpen: () => boolean | Promise<boolean>,
  ): ReadableStream<Uint8Array> => {
    const bytes = bytesOf(download, from, to)
    let left = to - from
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const { value, done } = (await isOpen()) ? await bytes.next() : CLOSED
        if (done !== true) {
          left -= value.length
          return controller.enqueue(value)
        }
        await bytes.return(undefined)
        return left === 0 ? controller.close() : controller.error(new Error("cut short"))
      },
      cancel: async () => void (await bytes.return(undefined)),
    })
  }

  return { find, stream }
})
