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

/** Where the chain of one stream is broken, if anywhere. Needs the stream from a known event on. */
export const verifyChain = (recorded: ReadonlyArray<Recorded>): ReadonlyArray<Break> => {
  const breaks: Array<Break> = []
  recorded.forEach((event, index) => {
    const before = recorded[index - 1]
    if (before === undefined && event.revision > 0) return
    const expected = before && hashOf(linkOf(before))
    const found = event.metadata.prev
    if (expected !== found)
      breaks.push({ stream: event.stream, revision: event.revision, expected, found })
  })
  return breaks
}
