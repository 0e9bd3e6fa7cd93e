/**
 * What a group could not handle: links in a stream of its own, hidden by `$tb` once they have been replayed
 * and answered for, so that a crash in the middle of a replay loses none.
 */
import type { Reader } from "./reader.ts"
import { jsonBytes, LINK_TYPE, linkTarget, type Stored } from "./record.ts"
import type { Writer } from "./writer.ts"

export const parkedStreamOf = (source: string, group: string) =>
  `$persistentsubscription-${source}::${group}-parked`

export interface Parked {
  readonly event: Stored
  readonly parkedAt: number
}

export const openParking = (reader: Reader, writer: Writer, stream: string) => {
  /** Replay is between `next` and `until`; what is under `until` no longer counts as parked. */
  let next = 0
  let until = 0
  const unanswered = new Set<number>()

  const firstParked = () => Math.max(until, reader.head(stream)?.truncateBefore ?? 0)

  const finish = () => {
    if (next < until || unanswered.size > 0 || until === 0) return
    const replayed = until
    // What can't be hidden now comes back as parked after a restart.
    writer.submit((log) => log.truncate(stream, replayed)).catch(() => undefined)
  }

  return {
    park: (event: Stored, reason: string, tries: number) =>
      writer.submit((log) =>
        log.append(stream, "any", [
          {
            id: crypto.randomUUID(),
            type: LINK_TYPE,
            isJson: false,
            data: new TextEncoder().encode(`${event.revision}@${event.stream}`),
            metadata: jsonBytes({ added: new Date().toISOString(), reason, tries }),
          },
        ]),
      ),

    count: () => Math.max(0, (reader.head(stream)?.last ?? -1) + 1 - firstParked()),

    /** Up to a revision of the parked stream (exclusive), or all there are now. */
    replay: (stopAt = Number.MAX_SAFE_INTEGER) => {
      const first = firstParked()
      const end = Math.min(stopAt, (reader.head(stream)?.last ?? -1) + 1)
      if (end <= first) return
      if (next >= until) next = first
      until = end
    },

    /** The next parked event to deliver again. */
    take: (): Parked | undefined => {
      while (next < until) {
        const parkedAt = next
        next += 1
        const link = reader.at(stream, parkedAt)
        const target = link && linkTarget(link)
        const event = target && reader.at(target.stream, target.revision)
        if (event === undefined) continue
        unanswered.add(parkedAt)
        return { event, parkedAt }
      }
      return undefined
    },

    answered: (parkedAt: number) => {
      unanswered.delete(parkedAt)
      finish()
    },
  }
}

export type Parking = ReturnType<typeof openParking>
