/**
 * The newest events in memory, and who waits for the next. A subscription is a cursor: it reads from
 * here while it keeps up and from SQLite when it lags, so a slow one costs nothing.
 */
import type { Reader } from "./reader.ts"
import type { Stored } from "./record.ts"

const MAX_EVENTS = 2048
const MAX_BYTES = 4 * 1024 * 1024

const bytesOf = (event: Stored) => event.data.byteLength + event.metadata.byteLength

export const openTail = (reader: Reader) => {
  let end = reader.end()
  /** Everything after this position is in `recent`. */
  let coversAfter = end
  let recent: Array<Stored> = []
  let bytes = 0
  const waiting = new Set<() => void>()

  const publish = (written: ReadonlyArray<Stored>) => {
    const last = written.at(-1)
    if (last === undefined) return
    end = last.position
    for (const event of written) {
      recent.push(event)
      bytes += bytesOf(event)
    }
    if (recent.length > 2 * MAX_EVENTS || bytes > 2 * MAX_BYTES) shrink()
    const woken = [...waiting]
    waiting.clear()
    for (const wake of woken) wake()
  }

  const shrink = () => {
    let first = Math.max(0, recent.length - MAX_EVENTS)
    let kept = recent.slice(first).reduce((sum, event) => sum + bytesOf(event), 0)
    for (; kept > MAX_BYTES && first < recent.length; first++) {
      const event = recent[first]
      if (event !== undefined) kept -= bytesOf(event)
    }
    coversAfter = recent[first - 1]?.position ?? coversAfter
    recent = recent.slice(first)
    bytes = kept
  }

  /** Index in `recent` of the first event after a position. */
  const indexAfter = (position: number) => {
    let low = 0
    let high = recent.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((recent[middle]?.position ?? Number.POSITIVE_INFINITY) > position) high = middle
      else low = middle + 1
    }
    return low
  }

  const after = (position: number, count: number): ReadonlyArray<Stored> => {
    if (position >= end) return []
    if (position < coversAfter) return reader.after(position, count)
    const from = indexAfter(position)
    return recent.slice(from, from + count)
  }

  /** Resolves at the next commit, when the signal aborts, or when the time is over. */
  const changed = (signal: AbortSignal, withinMillis?: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        signal.removeEventListener("abort", wake)
        resolve()
      }
      const timer = withinMillis === undefined ? undefined : setTimeout(wake, withinMillis)
      if (signal.aborted) return wake()
      waiting.add(wake)
      signal.addEventListener("abort", wake, { once: true })
    })

  return { publish, after, changed, end: () => end }
}

export type Tail = ReturnType<typeof openTail>
