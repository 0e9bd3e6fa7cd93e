import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { asc, eq, sql } from "drizzle-orm"
import { bigint, jsonb, pgTable, text } from "drizzle-orm/pg-core"
import { ConfigProvider, Effect, Fiber, Layer, ManagedRuntime, Stream } from "effect"
import { START_MILLIS, startPostgres, type TestPostgres } from "./node/testing.ts"
import {
  type Commit,
  type Invalidation,
  Invalidations,
  type ModelChanges,
  type Query,
  ReadStore,
  RowStore,
} from "./port.ts"
import { postgresReadStore } from "./postgres.ts"
import { postgresRowStore } from "./postgres-writing.ts"

const notes = pgTable("notes", {
  noteId: text().primaryKey(),
  lines: jsonb().$type<ReadonlyArray<string>>().notNull(),
  writtenAt: bigint({ mode: "number" }),
})
type Note = typeof notes.$inferSelect
const model = { name: "notes-v1", table: notes }

const migrations = mkdtempSync(join(tmpdir(), "reelog-migrations-"))
writeFileSync(
  join(migrations, "0001-notes.sql"),
  "create table notes (note_id text primary key, lines jsonb not null, written_at bigint);",
)

/** More than the five seconds that one may wait. */
const LONGER_MILLIS = 20_000

/** Even ones lie in the first database, odd ones in the second. */
const databaseOf = (key: string, databases: number) => Number(key) % databases
const readModels = { migrations: pathToFileURL(`${migrations}/`), databaseOf }

const byId: Query<{ noteId: string }, Note> = {
  name: "note_by_id",
  prepare: (database, name) =>
    database
      .select()
      .from(notes)
      .where(eq(notes.noteId, sql.placeholder("noteId")))
      .prepare(name),
}
const all: Query<{ least: string }, Note> = {
  name: "all_notes",
  prepare: (database, name) =>
    database
      .select()
      .from(notes)
      .where(sql`${notes.noteId} >= ${sql.placeholder("least")}`)
      .orderBy(asc(notes.noteId))
      .prepare(name),
}

const note = (noteId: string, ...lines: ReadonlyArray<string>): Note => {
  return { noteId, lines, writtenAt: null }
}

let node: TestPostgres
let runtime: ManagedRuntime.ManagedRuntime<ReadStore | RowStore | Invalidations, unknown>

const layersFor = (urls: ReadonlyArray<string>) =>
  Layer.merge(postgresReadStore(readModels), postgresRowStore(readModels)).pipe(
    Layer.provide(
      ConfigProvider.layer(ConfigProvider.fromEnvRecord({ REELOG_DATABASE_URLS: urls.join(",") })),
    ),
  )

const run = <A, E>(effect: Effect.Effect<A, E, ReadStore | RowStore | Invalidations>) =>
  runtime.runPromise(effect)

const changes = (given: Partial<ModelChanges>): ModelChanges => {
  return { model, from: null, upserts: [], removals: [], ...given }
}

const commitTo = (database: number, position: string, given: Partial<ModelChanges>) =>
  Effect.gen(function* () {
    const rows = yield* RowStore
    const from = (yield* rows.checkpoints(database)).get(model.name) ?? null
    const commit: Commit = { position, models: [changes({ from, ...given })], parked: [] }
    yield* rows.commit(database, commit)
  })

const noteOf = (noteId: string) =>
  Effect.flatMap(ReadStore, (store) => store.onShardOf(noteId, byId, { noteId }))

beforeAll(async () => {
  node = await startPostgres()
  runtime = ManagedRuntime.make(layersFor(node.urls))
}, START_MILLIS)
afterAll(async () => {
  await runtime.dispose()
  await node.stop()
  rmSync(migrations, { recursive: true })
})

describe("rows", () => {
  test("are read from the shard of their key, and from all shards at once", () =>
    run(
      Effect.gen(function* () {
        yield* commitTo(0, "10", { upserts: [note("2", "even")] })
        yield* commitTo(1, "10", { upserts: [note("3", "odd"), note("5", "odd")] })
        const store = yield* ReadStore
        expect(yield* noteOf("3")).toEqual([note("3", "odd")])
        const ids = (yield* store.onEveryShard(all, { least: "3" })).map(({ noteId }) => noteId)
        expect(ids).toEqual(["3", "5"])
      }),
    ))

  test("are replaced and removed by their key", () =>
    run(
      Effect.gen(function* () {
        const rows = yield* RowStore
        yield* commitTo(1, "20", { upserts: [note("3", "more", "lines")], removals: ["5"] })
        const known = yield* rows.load(1, model, ["3", "5", "7"])
        expect([...known]).toEqual([["3", note("3", "more", "lines")]])
      }),
    ))
})

describe("a commit", () => {
  test("on a checkpoint that has moved leaves nothing", () =>
    run(
      Effect.gen(function* () {
        const late = commitTo(0, "30", { from: "9", upserts: [note("4", "late")] })
        expect((yield* Effect.flip(late))._tag).toBe("CheckpointMoved")
        expect(yield* noteOf("4")).toEqual([])
      }),
    ))

  test("of a row that Postgres refuses leaves nothing, and says so", () =>
    run(
      Effect.gen(function* () {
        const upserts = [note("4", "good"), note("6", "bad \u0000")]
        const refused = commitTo(0, "30", { upserts })
        expect((yield* Effect.flip(refused))._tag).toBe("RowRefused")
        expect(yield* noteOf("4")).toEqual([])
        const rows = yield* RowStore
        expect((yield* rows.checkpoints(0)).get(model.name)).toBe("10")
      }),
    ))
})

/** What is heard while the effect runs, and after it until this many came. */
const heardDuring = <A, E, R>(count: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { changes } = yield* Invalidations
    const hearing = yield* changes.pipe(
      Stream.filter(({ _tag }) => _tag !== "Cleared"),
      Stream.take(count),
      Stream.runCollect,
      Effect.forkChild({ startImmediately: true }),
    )
    yield* effect
    return yield* Fiber.join(hearing)
  })

const named = (keys: ReadonlyArray<string>): Invalidation => {
  return { _tag: "Changed", model: model.name, keys }
}

describe("the news", () => {
  test("name the rows of a commit", () =>
    run(
      Effect.gen(function* () {
        const commit = commitTo(1, "40", { upserts: [note("7", "new")], removals: ["3"] })
        expect(yield* heardDuring(1, commit)).toEqual([named(["7", "3"])])
      }),
    ))

  test("of more rows than can be named say that all may have changed", () =>
    run(
      Effect.gen(function* () {
        const many = Array.from({ length: 2_000 }, (_, n) => note(String(1_000_001 + 2 * n), "x"))
        const commit = commitTo(1, "50", { upserts: many })
        const heard = yield* heardDuring(1, commit)
        expect(heard).toEqual([{ _tag: "ModelChanged", model: model.name }])
      }),
    ))
})

describe("waiting for a position", () => {
  test("ends when every database has come there", () =>
    run(
      Effect.gen(function* () {
        const store = yield* ReadStore
        const waiting = yield* Effect.forkChild(store.waitFor(model.name, "60"))
        yield* commitTo(0, "60", {})
        expect(waiting.pollUnsafe()).toBeUndefined()
        yield* commitTo(1, "65", {})
        yield* Fiber.join(waiting)
        expect(yield* store.checkpoints).toEqual([{ model: model.name, position: "60" }])
      }),
    ))

  test(
    "gives up after five seconds",
    () =>
      run(
        Effect.gen(function* () {
          const store = yield* ReadStore
          const late = yield* Effect.flip(store.waitFor(model.name, "99999"))
          expect(late._tag).toBe("ReadModelBehind")
        }),
      ),
    LONGER_MILLIS,
  )
})

describe("a shadow", () => {
  const grown = <E, R>(fill: (database: number) => Effect.Effect<ReadonlyArray<Note>, E, R>) =>
    Effect.gen(function* () {
      const rows = yield* RowStore
      return yield* rows.shadow(model, (shadow) =>
        Effect.gen(function* () {
          yield* shadow.write(0, { upserts: yield* fill(0), removals: [] })
          return yield* shadow.swap(0, (checkpoint) => Effect.succeed(checkpoint ?? "0"))
        }),
      )
    })

  test("that is the same has no differences", () =>
    run(
      Effect.gen(function* () {
        const comparison = yield* grown(() => noteOf("2"))
        expect(comparison).toEqual({ rows: 1, differences: 0, examples: [] })
      }),
    ))

  test("names the rows that differ, and takes their place", () =>
    run(
      Effect.gen(function* () {
        const other = Effect.succeed([note("2", "another"), note("8", "one more")])
        const comparison = yield* grown(() => other)
        expect(comparison).toEqual({ rows: 2, differences: 2, examples: ["2", "8"] })
        expect(yield* noteOf("2")).toEqual([note("2", "another")])
        yield* commitTo(0, "70", { upserts: [note("2", "and on")] })
        expect(yield* noteOf("2")).toEqual([note("2", "and on")])
      }),
    ))
})

test("a database that is away is said to be away", async () => {
  const gone = ManagedRuntime.make(layersFor(["postgres://postgres@127.0.0.1:1/none"]))
  const failure = await gone.runPromise(Effect.flip(noteOf("2")))
  expect(failure._tag).toBe("ReadStoreUnavailable")
  await gone.dispose()
})

test("a database that was filled as one of two is emptied when it is alone", async () => {
  const alone = ManagedRuntime.make(layersFor(node.urls.slice(0, 1)))
  const found = await alone.runPromise(
    Effect.flatMap(ReadStore, (store) => store.onEveryShard(all, { least: "" })),
  )
  expect(found).toEqual([])
  await alone.dispose()
})
