/**
 * The read side on Postgres, as the followers of the log see it: rows, checkpoint and the news of
 * them in one transaction. A checkpoint only moves from where its follower believes it to be, so
 * that two followers, or a follower and a rebuild, can't undo each other's work.
 */
import { Effect, Layer } from "effect"
import type { TransactionSql } from "postgres"
import {
  type Database,
  isRefused,
  openDatabases,
  type ReadModels,
  sqlStateOf,
} from "./databases.ts"
import { CHANNEL, writeNews } from "./news.ts"
import {
  CheckpointMoved,
  type Commit,
  type ModelChanges,
  type ParkedEvent,
  ReadStoreUnavailable,
  RowRefused,
  RowStore,
} from "./port.ts"
import { readCheckpoints } from "./postgres.ts"
import { keyOfRow, loadRows, writeRows } from "./rows.ts"
import { withShadow } from "./shadow.ts"

const namesFrom = (models: ReadonlyArray<ModelChanges>) => {
  const groups = new Map<string | null, Array<string>>()
  for (const { model, from } of models) groups.set(from, [...(groups.get(from) ?? []), model.name])
  return groups
}

/** One statement for all models that stand at the same place. */
const moveCheckpoints = (
  transaction: TransactionSql,
  { models, position }: Commit,
): ReadonlyArray<PromiseLike<unknown>> =>
  [...namesFrom(models)].map(async ([from, names]) => {
    const list = JSON.stringify(names)
    const moved =
      from === null
        ? await transaction`
            insert into checkpoints (model, position)
            select name, ${position} from json_array_elements_text(${list}::text::json) as name
            on conflict do nothing`
        : await transaction`
            update checkpoints set position = ${position}
            where position = ${from}
              and model in (select json_array_elements_text(${list}::text::json))`
    if (moved.count !== names.length) throw new CheckpointMoved({ model: names.join(", ") })
  })

const park = (transaction: TransactionSql, parked: ReadonlyArray<ParkedEvent>) =>
  parked.map(
    ({ position, model, stream, revision, type, reason, parkedAt }) => transaction`
      insert into parked_events (position, model, stream, revision, type, reason, parked_at)
      values (${position}, ${model}, ${stream}, ${revision}, ${type}, ${reason}, ${parkedAt})
      on conflict do nothing`,
  )

const keysOf = ({ model, upserts, removals }: ModelChanges) => [
  ...upserts.map((row) => keyOfRow(model.table, row)),
  ...removals,
]

const isEmpty = ({ models, parked }: Commit) =>
  parked.length === 0 &&
  models.every(({ upserts, removals }) => upserts.length + removals.length === 0)

/** The first statement that is refused tells whose rows they were. */
const writeModel = (transaction: TransactionSql, changes: ModelChanges) =>
  Promise.all(writeRows(transaction, changes.model.table, changes)).catch((cause) => {
    throw isRefused(cause) ? new RowRefused({ model: changes.model.name, cause }) : cause
  })

/** After the first statement that failed Postgres refuses the others, and those may be told first. */
const firstCause = async (statements: ReadonlyArray<PromiseLike<unknown>>) => {
  const settled = await Promise.allSettled(statements)
  const causes = settled.flatMap((each) => (each.status === "rejected" ? [each.reason] : []))
  const [first] = causes.filter((cause) => sqlStateOf(cause) !== "25P02")
  if (causes.length > 0) throw first ?? causes[0]
}

const write = async (transaction: TransactionSql, commit: Commit) => {
  const { models, parked, position } = commit
  const news = models.map((changes) => [changes.model.name, keysOf(changes)] as const)
  const payload = writeNews({ position, models: Object.fromEntries(news) })
  // A checkpoint alone may be lost with the machine: what it passed is folded again, to the same.
  const ease = isEmpty(commit) ? [transaction`set local synchronous_commit = off`] : []
  await firstCause([
    ...ease,
    ...moveCheckpoints(transaction, commit),
    ...models.map((changes) => writeModel(transaction, changes)),
    ...park(transaction, parked),
    transaction`select pg_notify(${CHANNEL}, ${payload})`,
  ])
}

type Written = CheckpointMoved | RowRefused | undefined

const commitTo = ({ ask }: Database, commit: Commit) =>
  ask(({ sql }) =>
    sql
      .begin((transaction) => write(transaction, commit))
      .then(
        (): Written => undefined,
        (cause: unknown): Written => {
          if (cause instanceof CheckpointMoved || cause instanceof RowRefused) return cause
          throw cause
        },
      ),
  ).pipe(Effect.flatMap((failure) => (failure === undefined ? Effect.void : Effect.fail(failure))))

export const postgresRowStore = (readModels: ReadModels) =>
  Layer.effect(
    RowStore,
    Effect.gen(function* () {
      const databases = yield* openDatabases(readModels)
      const on = <A, E>(
        index: number,
        use: (database: Database) => Effect.Effect<A, E>,
      ): Effect.Effect<A, E | ReadStoreUnavailable> => {
        const database = databases[index]
        return database === undefined
          ? Effect.fail(new ReadStoreUnavailable({ cause: `there is no database ${index}` }))
          : use(database)
      }
      return RowStore.of({
        databases: databases.length,
        databaseOf: (key) => readModels.databaseOf(key, databases.length),
        checkpoints: (index) => on(index, readCheckpoints),
        load: (index, model, keys) =>
          on(index, (database) => database.ask(() => loadRows(database, model, keys))),
        commit: (index, commit) => on(index, (database) => commitTo(database, commit)),
        shadow: (model, use) => withShadow(databases, model, use),
      })
    }),
  )
