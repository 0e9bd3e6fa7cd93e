/**
 * The hash chain of a one-writer stream: every event's metadata carries the SHA-256 of the event before it, so that
 * history cannot be edited without everything after it showing. The hash covers what was written, with sorted keys.
 */
import { writeEvent } from "#domain/events.ts"
import type { NewEvent, Recorded } from "./port.ts"

export interface Link {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly prev?: string | undefined
}

export interface Break {
  readonly stream: string
  readonly revision: number
  readonly expected: string | undefined
  readonly found: string | undefined
}

/** JSON whose keys are sorted, so that equal values are equal texts. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((element) => canonical(element)).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${entries.join(",")}}`
}

export const hashOf = ({ id, type, data, prev }: Link): string =>
  new Bun.CryptoHasher("sha256").update(canonical({ id, type, data, prev })).digest("hex")

const storedOf = ({ event }: Recorded): Pick<Link, "type" | "data"> =>
  event._tag === "Unreadable" ? { type: event.type, data: undefined } : writeEvent(event)

export const linkOf = (recorded: Recorded): Link => ({
  id: recorded.id,
  ...(recorded.stored ?? storedOf(recorded)),
  prev: recorded.metadata.prev,
})

/** Gives each new event the hash of the one before it; the first of a stream has none. */
export const chained = (
  events: ReadonlyArray<NewEvent>,
  last: Recorded | undefined,
): ReadonlyArray<NewEvent> => {
  let prev = last && hashOf(linkOf(last))
  return events.map((event) => {
    const metadata = { ...event.metadata, ...(prev !== undefined && { prev }) }
    prev = hashOf({ id: event.id, ...writeEvent(event.event), prev })
    return { ...event, metadata }
  })
}

/**
 * Follows the chains of any number of streams, of each from a known event on, and tells where one is
 * broken. Holds one hash for each stream.
 */
export const chainReader = () => {
  const last = new Map<string, string>()
  return (recorded: Recorded): Break | undefined => {
    const { stream, revision, metadata } = recorded
    const expected = last.get(stream)
    last.set(stream, hashOf(linkOf(recorded)))
    const isFirstKnown = expected === undefined && revision > 0
    if (isFirstKnown || expected === metadata.prev) return undefined
    return { stream, revision, expected, found: metadata.prev }
  }
}

/** Where the chain of one stream is broken, if anywhere. Needs the stream from a known event on. */
export const verifyChain = (recorded: ReadonlyArray<Recorded>): ReadonlyArray<Break> => {
  const read = chainReader()
  return recorded.flatMap((event) => read(event) ?? [])
}
