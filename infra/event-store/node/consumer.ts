/** One consumer of a group, and which of them gets the next event. */
import type { ServiceError } from "@grpc/grpc-js"
import type { Strategy } from "./group-settings.ts"
import type { Stored } from "./record.ts"

export interface Consumer {
  readonly id: string
  readonly peer: string
  readonly connectionName: string
  /** How many events it takes before it answers for one. */
  readonly capacity: number
  readonly write: (message: Buffer) => void
  readonly end: (failure: ServiceError) => void
  inFlight: number
  total: number
}

export const hasRoom = ({ inFlight, capacity }: Consumer) => inFlight < capacity

/** Rendezvous hashing: a stream changes its consumer only when that one leaves, or a better one joins. */
const pinned = (consumers: ReadonlyArray<Consumer>, { stream }: Stored) => {
  let best: Consumer | undefined
  let highest = -1n
  for (const consumer of consumers) {
    const score = BigInt(Bun.hash(`${consumer.id} ${stream}`))
    if (score > highest) {
      best = consumer
      highest = score
    }
  }
  return best !== undefined && hasRoom(best) ? best : undefined
}

/** Undefined when the event has to wait. */
export const choose = (
  strategy: Strategy,
  consumers: Array<Consumer>,
  event: Stored,
): Consumer | undefined => {
  if (strategy === "Pinned") return pinned(consumers, event)
  const index = consumers.findIndex(hasRoom)
  if (index < 0) return undefined
  const chosen = consumers[index]
  // The one just served goes to the end of the row.
  if (strategy === "RoundRobin") consumers.push(...consumers.splice(index, 1))
  return chosen
}
