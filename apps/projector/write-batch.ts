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

const isChanged = ({ upserts, removals }: Omit<ModelChanges, "model">) =>
  upserts.length + removals.length > 0

/** The one event's rows in the model that refused them are left out; other models keep theirs. */
const without = (commit: Commit, [spoiler]: ReadonlyArray<Recorded>, refused: RowRefused) =>
  Effect.map(Clock.currentTimeMillis, (parkedAt): Commit => {
    const reason = String(refused.cause).slice(0, 500)
    const parked = spoiler && parkedAs(spoiler, refused.model, reason, parkedAt)
    return {
      ...commit,
      models: commit.models.map((changes) =>
        changes.model.name === refused.model ? { ...changes, upserts: [], removals: [] } : changes,
      ),
      parked: [...commit.parked, ...(parked === undefined ? [] : [parked])],
    }
  })

type Failure = CheckpointMoved | RowRefused | ReadStoreUnavailable

/** Each model can refuse once: then nothing is left of it. */
const commitOne = (
  database: number,
  events: ReadonlyArray<Recorded>,
  commit: Commit,
): Effect.Effect<void, Failure, RowStore> =>
  Effect.flatMap(RowStore, (rows) => rows.commit(database, commit)).pipe(
    Effect.catchTag("RowRefused", (refused) =>
      commit.models.some(
        ({ model, ...changes }) => model.name === refused.model && isChanged(changes),
      )
        ? Effect.flatMap(without(commit, events, refused), (rest) =>
            commitOne(database, events, rest),
          )
        : Effect.fail(refused),
    ),
  )

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
    const middle = Math.ceil(events.length / 2)
    const border = events[middle - 1]?.position ?? position
    const halves = [
      { events: events.slice(0, middle), position: border },
      { events: events.slice(middle), position },
    ]
    const writing =
      events.length <= 1 ? commitOne(database, events, commit) : rows.commit(database, commit)
    return yield* writing.pipe(
      Effect.as(moved(places, commit)),
      Effect.catchIf(
        (failure) => failure._tag === "RowRefused" && events.length > 1,
        () =>
          Effect.reduce(
            halves,
            () => places,
            (known, half) => writeBatch(projections, database, known, half),
          ),
      ),
    )
  })
