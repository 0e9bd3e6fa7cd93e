/**
 * A second copy of a model's table beside the live one: filled by a rebuild, compared row by row
 * at the same checkpoint, and put in its place while the followers wait.
 */
import { Effect } from "effect"
import type { ReservedSql, Sql } from "postgres"
import { type Database, isRefused, openDatabase, unavailable } from "./databases.ts"
import { CHANNEL, writeNews } from "./news.ts"
import {
  type Comparison,
  type Model,
  ReadStoreUnavailable,
  RowRefused,
  type Shadow,
} from "./port.ts"
import { loadRows, shapeOf, writeRows } from "./rows.ts"

const EXAMPLES = 20

const schemaOf = ({ name }: Model) => `rebuild_${name.replaceAll("-", "_")}`

const create = (model: Model) => async (sql: Sql) => {
  const schema = schemaOf(model)
  const { table } = shapeOf(model.table)
  // Held by the one connection of this pool until it closes: one rebuild of a model at a time.
  await sql`select pg_advisory_lock(hashtext(${schema}))`
  await sql.unsafe(`drop schema if exists ${schema} cascade; create schema ${schema};
    create table ${schema}."${table}" (like public."${table}" including all)`)
}

const drop = (model: Model) => (shadow: Database) =>
  Effect.ignore(shadow.ask(({ sql }) => sql.unsafe(`drop schema ${schemaOf(model)} cascade`)))

const openShadow = (live: Database, model: Model) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      // The live table has to be there to be copied.
      yield* live.ask(({ sql }) => sql`select 1`)
      const shadow = yield* openDatabase({
        index: live.index,
        url: live.url,
        pool: 1,
        idleSeconds: 0,
        searchPath: `${schemaOf(model)}, public`,
        prepare: create(model),
      })
      yield* shadow.ask(({ sql }) => sql`select 1`)
      return shadow
    }),
    drop(model),
  )

// Comparing and swapping

const compare = async (sql: ReservedSql, model: Model): Promise<Comparison> => {
  const { table, columns } = shapeOf(model.table)
  const key = columns[0]?.[1] ?? ""
  const names = (side: string) => columns.map(([, column]) => `${side}."${column}"`).join(", ")
  const shadow = `${schemaOf(model)}."${table}"`
  const differing = await sql.unsafe<Array<{ key: string; total: number }>>(
    `select coalesce(live."${key}", shadow."${key}") as key, (count(*) over ())::int as total
     from public."${table}" live full join ${shadow} shadow on live."${key}" = shadow."${key}"
     where row(${names("live")}) is distinct from row(${names("shadow")})
     order by 1 limit ${EXAMPLES}`,
  )
  const [counted] = await sql.unsafe<Array<{ rows: number }>>(
    `select count(*)::int as rows from ${shadow}`,
  )
  return {
    rows: counted?.rows ?? 0,
    differences: differing[0]?.total ?? 0,
    examples: differing.map((row) => row.key),
  }
}

const replace = async (sql: ReservedSql, model: Model, position: string) => {
  const { table } = shapeOf(model.table)
  const payload = writeNews({ position, models: { [model.name]: "*" } })
  await sql.unsafe(`drop table public."${table}";
    alter table ${schemaOf(model)}."${table}" set schema public`)
  await sql`insert into checkpoints values (${model.name}, ${position})
    on conflict (model) do update set position = ${position}`
  await sql`select pg_notify(${CHANNEL}, ${payload})`
}

const swapOn = <E>(
  live: Database,
  model: Model,
  catchUp: (checkpoint: string | null) => Effect.Effect<string, E>,
): Effect.Effect<Comparison, E | ReadStoreUnavailable> =>
  Effect.gen(function* () {
    const held = yield* Effect.acquireRelease(
      live.ask(({ sql }) => sql.reserve()),
      (open) => Effect.sync(() => open.release()),
    )
    const asked = <A>(question: () => PromiseLike<A>) =>
      Effect.tryPromise({ try: () => Promise.resolve(question()), catch: unavailable })
    yield* Effect.acquireRelease(
      asked(() => held`begin`),
      // After a commit there is nothing left to undo.
      () => Effect.ignore(asked(() => held`rollback`)),
    )
    yield* asked(() => held`lock table checkpoints in share row exclusive mode`)
    const [found] = yield* asked(
      () => held<Array<{ position: string }>>`
        select position from checkpoints where model = ${model.name}`,
    )
    const position = yield* catchUp(found?.position ?? null)
    const comparison = yield* asked(() => compare(held, model))
    yield* asked(() => replace(held, model, position))
    yield* asked(() => held`commit`)
    return comparison
  }).pipe(Effect.scoped)

/** An empty shadow in every database, dropped when it has been used. */
export const withShadow = <A, E, R>(
  databases: ReadonlyArray<Database>,
  model: Model,
  use: (shadow: Shadow) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E | ReadStoreUnavailable, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const shadows = yield* Effect.forEach(databases, (live) => openShadow(live, model))
      const at = (index: number) => {
        const [live, copy] = [databases[index], shadows[index]]
        return live === undefined || copy === undefined
          ? Effect.fail(new ReadStoreUnavailable({ cause: `there is no database ${index}` }))
          : Effect.succeed({ live, copy })
      }
      const refused = (cause: unknown) => {
        if (isRefused(cause)) return new RowRefused({ model: model.name, cause })
        throw cause
      }
      const shadow: Shadow = {
        write: (index, changes) =>
          Effect.gen(function* () {
            const { copy } = yield* at(index)
            const failure = yield* copy.ask(({ sql }) =>
              sql
                .begin((transaction) => Promise.all(writeRows(transaction, model.table, changes)))
                .then(() => undefined, refused),
            )
            if (failure !== undefined) return yield* failure
          }),
        load: (index, keys) =>
          Effect.flatMap(at(index), ({ copy }) => copy.ask(() => loadRows(copy, model, keys))),
        swap: (index, catchUp) =>
          Effect.flatMap(at(index), ({ live }) => swapOn(live, model, catchUp)),
      }
      return yield* use(shadow)
    }),
  )
