/** Groups of competing consumers inside the process: round robin, timeout, retry and park as the real ones do it. */
import { type Cause, Effect, Queue, Stream } from "effect"
import type {
  Delivery,
  EventStore,
  Filter,
  Group,
  GroupState,
  ParkedDelivery,
  Recorded,
} from "./port.ts"

type Port = EventStore["Service"]

interface Pending {
  readonly recorded: Recorded
  readonly retryCount: number
}

interface Consumer {
  readonly queue: Queue.Queue<Delivery, Cause.Done>
  readonly buffer: number
  readonly inFlight: Map<Pending, Timer>
}

interface Room {
  group: Group
  readonly isWanted: (recorded: Recorded) => boolean
  next: number
  retrying: Array<Pending>
  parked: Array<ParkedDelivery>
  consumers: Array<Consumer>
}

export const memoryGroups = (
  log: ReadonlyArray<Recorded>,
  matches: (filter: Filter) => (recorded: Recorded) => boolean,
) => {
  const rooms = new Map<string, Room>()

  const roomOf = (group: Group): Room => {
    const known = rooms.get(group.name)
    if (known !== undefined) {
      known.group = group
      return known
    }
    const isWanted = matches(group.filter)
    const room: Room = { group, isWanted, next: 0, retrying: [], parked: [], consumers: [] }
    rooms.set(group.name, room)
    return room
  }

  const take = (room: Room): Pending | undefined => {
    const again = room.retrying.shift()
    if (again !== undefined) return again
    for (; room.next < log.length; room.next++) {
      const recorded = log[room.next]
      if (recorded === undefined || !room.isWanted(recorded)) continue
      room.next += 1
      return { recorded, retryCount: 0 }
    }
    return undefined
  }

  const park = (room: Room, { recorded, retryCount }: Pending, reason: string) =>
    room.parked.push({ recorded, tries: retryCount + 1, reason })

  const release = (room: Room, pending: Pending, reason: string) => {
    const { recorded, retryCount } = pending
    if (retryCount >= room.group.maxRetryCount) park(room, pending, reason)
    else room.retrying.push({ recorded, retryCount: retryCount + 1 })
  }

  const dispatch = (room: Room, consumer: Consumer, pending: Pending) => {
    const settle = (outcome: () => void) =>
      Effect.sync(() => {
        const timer = consumer.inFlight.get(pending)
        if (timer === undefined) return
        clearTimeout(timer)
        consumer.inFlight.delete(pending)
        outcome()
        pump(room)
      })
    const again = (reason: string) => settle(() => release(room, pending, reason))
    const late = again("the consumer did not answer in time")
    const timer = setTimeout(() => Effect.runSync(late), room.group.messageTimeoutMillis)
    consumer.inFlight.set(pending, timer)
    Queue.offerUnsafe(consumer.queue, {
      ...pending,
      ack: settle(() => undefined),
      retry: again,
      park: (reason) => settle(() => park(room, pending, reason)),
    })
  }

  const pump = (room: Room) => {
    for (;;) {
      const index = room.consumers.findIndex(({ inFlight, buffer }) => inFlight.size < buffer)
      const consumer = room.consumers[index]
      if (consumer === undefined) return
      const pending = take(room)
      if (pending === undefined) return
      dispatch(room, consumer, pending)
      room.consumers.push(...room.consumers.splice(index, 1))
    }
  }

  const leave = (room: Room, consumer: Consumer) =>
    Effect.sync(() => {
      room.consumers = room.consumers.filter((other) => other !== consumer)
      for (const [pending, timer] of consumer.inFlight) {
        clearTimeout(timer)
        release(room, pending, "the consumer went away")
      }
      consumer.inFlight.clear()
      pump(room)
    })

  const join = Effect.fnUntraced(function* (group: Group, buffer: number) {
    const room = roomOf(group)
    const queue = yield* Queue.unbounded<Delivery, Cause.Done>()
    const consumer: Consumer = { queue, buffer, inFlight: new Map() }
    room.consumers.push(consumer)
    pump(room)
    return { room, consumer }
  })

  const consume: Port["consume"] = (group, buffer) =>
    Stream.unwrap(
      Effect.acquireRelease(join(group, buffer), ({ room, consumer }) =>
        leave(room, consumer),
      ).pipe(Effect.map(({ consumer }) => Stream.fromQueue(consumer.queue))),
    )

  const stateOf = (room: Room): GroupState => ({
    name: room.group.name,
    backlog: room.retrying.length + log.slice(room.next).filter(room.isWanted).length,
    inFlight: room.consumers.reduce((sum, { inFlight }) => sum + inFlight.size, 0),
    parked: room.parked.length,
    connections: room.consumers.length,
  })

  const groupState: Port["groupState"] = (name) =>
    Effect.sync(() => {
      const room = rooms.get(name)
      return room && stateOf(room)
    })

  const parkedOf: Port["parkedOf"] = (name, most) =>
    Effect.sync(() => (rooms.get(name)?.parked ?? []).toReversed().slice(0, most))

  const replayParked: Port["replayParked"] = (name) =>
    Effect.sync(() => {
      const room = rooms.get(name)
      if (room === undefined) return
      room.retrying.push(...room.parked.map(({ recorded }) => ({ recorded, retryCount: 0 })))
      room.parked = []
      pump(room)
    })

  return {
    consume,
    groupState,
    parkedOf,
    replayParked,
    wake: () => {
      for (const room of rooms.values()) pump(room)
    },
  }
}
