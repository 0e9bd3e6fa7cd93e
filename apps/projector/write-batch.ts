/**
 * One batch of the log into one database: the rows it touches are loaded, folded and written with
 * the checkpoint. An event that spoils its batch is found by halving, parked, and passed over.
 */
import { Clock, Effect } from "effect"
import type { Unreadable } from "#domain/events.ts"
import { isAfter } from "#domain/ids.ts"
import type { Recorded } from "#infra/event-store/port.ts"
import {
  type CheckpointMoved,
  type Commit,
  type ModelChanges,
  type ParkedEvent,
  type ReadStoreUnavailable,
  type RowRefused,
  RowStore,
} from "#infra/read-store/port.ts"
import { type AnyProjection, addressed, foldRows } from "#projections/folding.ts"
import type { Fact } from "#projections/projection.ts"

/** Checkpoints of one database as its last commit left them, by model. */
export type Places = ReadonlyMap<string, string>

export interface Batch {
  readonly events: ReadonlyArray<Recorded>
  /** The log was read up to here. */
  readonly position: string
}

/** Unreadable events are parked where the first database is; the others pass over them. */
const FIRST = 0

const isReadable = (recorded: Recorded): recorded is Recorded & Fact =>
  recorded.event._tag !== "Unreadable"

const isUnreadable = (recorded: Recorded): recorded is Recorded & { readonly event: Unreadable } =>
  recorded.event._tag === "Unreadable"

const typeOf = ({ event }: Pick<Recorded, "event">) =>
  event._tag === "Unreadable" ? event.type : event._tag

/** Postgres has no text with a NUL in it. */
const storable = (text: string) => text.replaceAll("\0", "")

const parkedAs = (
  recorded: Pick<Recorded, "event" | "position" | "stream" | "revision">,
  model: string,
  reason: string,
  parkedAt: number,
): ParkedEvent => {
  const { position, stream, revision } = recorded
  const type = storable(typeOf(recorded))
  return { position, stream, revision, type, model, reason: storable(reason), parkedAt }
}

const isBehind =
  (places: Places, { position }: { position: string }) =>
  (model: AnyProjection) =>
    isAfter(position, places.get(model.name) ?? "")

/** What the events change in one model, and which of them it can't take. */
const changesOf = Effect.fn("changesOf")(function* (
  projection: AnyProjection,
  database: number,
  places: Places,
  events: ReadonlyArray<Recorded>,
) {
  const rows = yield* RowStore
  const from = places.get(projection.name) ?? null
  const facts = events.filter(isReadable).filter(({ position }) => isAfter(position, from ?? ""))
  const { events: all, setAside } = addressed(projection, facts)
  const mine = all.filter(({ key }) => rows.databaseOf(key) === database)
  const keys = [...new Set(mine.map(({ key }) => key))]
  const model = { name: projection.name, table: projection.table }
  const known = keys.length === 0 ? new Map() : yield* rows.load(database, model, keys)
  const folded = foldRows(projection, known, mine)
  const changes: ModelChanges = { model, from, ...folded }
  const nobodys = database === FIRST ? setAside : []
  return { changes, setAside: [...nobodys, ...folded.setAside] }
})

const commitOf = Effect.fn("commitOf")(function* (
  projections: ReadonlyArray<AnyProjection>,
  database: number,
  places: Places,
  { events, position }: Batch,
) {
  const parkedAt = yield* Clock.currentTimeMillis
  const behind = projections.filter(isBehind(places, { position }))
  const folded = yield* Effect.forEach(
    behind,
    (projection) => changesOf(projection, database, places, events),
    { concurrency: "unbounded" },
  )
  const parked = folded.flatMap(({ changes, setAside }) =>
    setAside.map(({ fact, reason }) => parkedAs(fact, changes.model.name, reason, parkedAt)),
  )
  const unreadable = database === FIRST ? events.filter(isUnreadable) : []
  const commit: Commit = {
    position,
    models: folded.map(({ changes }) => changes),
    parked: [
      ...parked,
      ...unreadable.map((recorded) => parkedAs(recorded, "*", recorded.event.issue, parkedAt)),
    ],
  }
  return commit
})

const moved = (places: Places, { models, position }: Commit): Places =>
  new Map([...places, ...models.map(({ model }) => [model.name, position] as const)])

const isChanged = ({ upserts, removals }: ModelChanges) => upserts.length + removals.length > 0

/** The rows of this one event are left out; which models they were of is told. */
const withoutRows = (commit: Commit, [spoiler]: ReadonlyArray<Recorded>, cause: RowRefused) =>
  Effect.map(Clock.currentTimeMillis, (parkedAt): Commit => {
    const reason = String(cause.cause).slice(0, 500)
    const models = commit.models.filter(isChanged).map(({ model }) => model.name)
    return {
      ...commit,
      models: commit.models.map((changes) => ({ ...changes, upserts: [], removals: [] })),
      parked: [
        ...commit.parked,
        ...(spoiler === undefined
          ? []
          : models.map((model) => parkedAs(spoiler, model, reason, parkedAt))),
      ],
    }
  })

type Failure = CheckpointMoved | RowRefused | ReadStoreUnavailable

/** Answers where the models stand afterwards. */
export const writeBatch = (
  projections: ReadonlyArray<AnyProjection>,
  database: number,
  places: Places,
  batch: Batch,
): Effect.Effect<Places, Failure, RowStore> =>
  Effect.gen(function* () {
    const rows = yield* RowStore
    const commit = yield* commitOf(projections, database, places, batch)
    if (commit.models.length === 0) return places
    const { events, position } = batch
    return yield* rows.commit(database, commit).pipe(
      Effect.as(moved(places, commit)),
      Effect.catchTag("RowRefused", (refused) => {
        const middle = events[Math.floor((events.length - 1) / 2)]
        if (events.length <= 1 || middle === undefined) {
          return withoutRows(commit, events, refused).pipe(
            Effect.flatMap((rest) => rows.commit(database, rest)),
            Effect.as(moved(places, commit)),
          )
        }
        const half = events.indexOf(middle) + 1
        const first = { events: events.slice(0, half), position: middle.position }
        const second = { events: events.slice(half), position }
        return Effect.flatMap(writeBatch(projections, database, places, first), (between) =>
          writeBatch(projections, database, between, second),
        )
      }),
    )
  })
