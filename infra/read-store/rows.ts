/** Reading and writing whole rows of any table, many at once: one statement carries them as JSON. */
import { getTableColumns, getTableName, sql as text } from "drizzle-orm"
import { toSnakeCase } from "drizzle-orm/casing"
import type { PgTable } from "drizzle-orm/pg-core"
import type { Sql, TransactionSql } from "postgres"
import type { Database } from "./databases.ts"
import type { Model, Row } from "./port.ts"

interface Shape {
  readonly table: string
  /** Property in the program and column in the database; the first is the key. */
  readonly columns: ReadonlyArray<readonly [property: string, column: string]>
  readonly upsert: string
  readonly remove: string
}

const shapes = new WeakMap<PgTable, Shape>()

const describe = (table: PgTable): Shape => {
  const name = getTableName(table)
  const columns = Object.keys(getTableColumns(table)).map(
    (property) => [property, toSnakeCase(property)] as const,
  )
  const key = columns[0]?.[1] ?? ""
  const names = columns.map(([, column]) => `"${column}"`)
  const changes = names.map((column) => `${column} = excluded.${column}`)
  const rows = `json_populate_recordset(null::"${name}", $1::text::json)`
  return {
    table: name,
    columns,
    upsert: `insert into "${name}" (${names}) select ${names} from ${rows}
      on conflict ("${key}") do update set ${changes}`,
    remove: `delete from "${name}" where "${key}" in (select json_array_elements_text($1::text::json))`,
  }
}

export const shapeOf = (table: PgTable): Shape => {
  const known = shapes.get(table)
  if (known !== undefined) return known
  const shape = describe(table)
  shapes.set(table, shape)
  return shape
}

export const keyOfRow = (table: PgTable, row: Row): string =>
  String(row[shapeOf(table).columns[0]?.[0] ?? ""])

const asColumns = ({ columns }: Shape, row: Row): Row => {
  const written: Row = {}
  for (const [property, column] of columns) written[column] = row[property]
  return written
}

/** Statements are sent at once, one behind the other. */
export const writeRows = (
  sql: Sql | TransactionSql,
  table: PgTable,
  { upserts, removals }: { upserts: ReadonlyArray<Row>; removals: ReadonlyArray<string> },
): ReadonlyArray<PromiseLike<unknown>> => {
  const shape = shapeOf(table)
  const statements: Array<PromiseLike<unknown>> = []
  const send = (statement: string, argument: unknown) =>
    statements.push(sql.unsafe(statement, [JSON.stringify(argument)], { prepare: true }))
  if (upserts.length > 0)
    send(
      shape.upsert,
      upserts.map((row) => asColumns(shape, row)),
    )
  if (removals.length > 0) send(shape.remove, removals)
  return statements
}

const loads = new WeakMap<Database, Map<string, ReturnType<typeof prepareLoad>>>()

const prepareLoad = ({ drizzle }: Database, { name, table }: Model) => {
  const key = Object.values(getTableColumns(table))[0]
  const keys = text`(select json_array_elements_text(${text.placeholder("keys")}::text::json))`
  return drizzle.select().from(table).where(text`${key} in ${keys}`).prepare(`load_${name}`)
}

/** The rows that there are, by key. */
export const loadRows = async (
  database: Database,
  model: Model,
  keys: ReadonlyArray<string>,
): Promise<ReadonlyMap<string, Row>> => {
  const prepared = loads.get(database) ?? new Map<string, ReturnType<typeof prepareLoad>>()
  loads.set(database, prepared)
  const load = prepared.get(model.name) ?? prepareLoad(database, model)
  prepared.set(model.name, load)
  const rows = await load.execute({ keys: JSON.stringify(keys) })
  return new Map(rows.map((row) => [keyOfRow(model.table, row), row]))
}
