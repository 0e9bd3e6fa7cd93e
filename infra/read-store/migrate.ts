/**
 * Brings a database to the shape the program expects: SQL files in their order, each once, whoever
 * starts first. A database that was filled as one of another number of databases is emptied: its
 * rows are found elsewhere now, and the followers fill it again.
 */
import { readdirSync, readFileSync } from "node:fs"
import type { Sql, TransactionSql } from "postgres"

/** Any number; all processes take the same. */
const LOCK = 7_265_656

/** Where a database stands in the list of connection strings. */
export interface Place {
  readonly index: number
  readonly databases: number
}

const kept = ["migrations", "layout"]

const filesIn = (folder: URL) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }))

const empty = async (sql: TransactionSql) => {
  const tables = await sql<Array<{ tablename: string }>>`
    select tablename from pg_tables where schemaname = 'public'`
  for (const { tablename } of tables) {
    if (!kept.includes(tablename)) await sql.unsafe(`truncate "${tablename}"`)
  }
}

export const migrate = (sql: Sql, folders: ReadonlyArray<URL>, { index, databases }: Place) =>
  sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(${LOCK})`
    await transaction`create table if not exists migrations (name text primary key)`
    await transaction`create table if not exists layout (
      only_row boolean primary key default true check (only_row),
      index integer not null,
      databases integer not null
    )`
    const known = await transaction<Array<{ name: string }>>`select name from migrations`
    const applied = new Set(known.map(({ name }) => name))
    for (const [place, folder] of folders.entries()) {
      for (const { name, text } of filesIn(folder)) {
        const unique = `${place}/${name}`
        if (applied.has(unique)) continue
        await transaction.unsafe(text)
        await transaction`insert into migrations values (${unique})`
      }
    }
    const [layout] = await transaction<Array<Place>>`select index, databases from layout`
    if (layout?.index === index && layout.databases === databases) return
    if (layout !== undefined) await empty(transaction)
    await transaction`
      insert into layout (index, databases) values (${index}, ${databases})
      on conflict (only_row) do update set index = ${index}, databases = ${databases}`
  })
