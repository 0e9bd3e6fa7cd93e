/**
 * The read side: rows that projections keep in several databases, each row on the shard of its key.
 * `ReadStore` asks, `Invalidations` tells which rows have changed, `RowStore` is for the one who
 * writes. `postgres.ts` is the adapter, `node/` starts the embedded Postgres. What is asked and
 * where a key lies come from the caller: no read model is known here.
 */
import type { PgDatabase, PgQueryResultHKT, PgTable } from "drizzle-orm/pg-core"
import { Context, type Effect, Schema, type Stream } from "effect"

/** Built once for each database and prepared there. `Parameters` is told by `takes` alone, which is never there. */
export interface Query<Parameters, Row> {
  readonly name: string
  readonly prepare: (
    database: PgDatabase<PgQueryResultHKT>,
    name: string,
  ) => {
    readonly execute: (parameters: Record<string, unknown>) => PromiseLike<ReadonlyArray<Row>>
  }
  readonly takes?: Parameters
}

/** A database is away, or too slow to wait for. */
export class ReadStoreUnavailable extends Schema.TaggedError<ReadStoreUnavailable>()(
  "ReadStoreUnavailable",
  { cause: Schema.Defect() },
) {}

/** The model has not come to the position in the time one may wait. */
export class ReadModelBehind extends Schema.TaggedError<ReadModelBehind>()("ReadModelBehind", {
  model: Schema.String,
  position: Schema.String,
}) {}

/** Where the follower of a model stands, in the database where it is furthest behind. */
export interface Checkpoint {
  readonly model: string
  readonly position: string
}

/** An event that no row could be made of; it is passed over and shown. */
export interface ParkedEvent {
  readonly position: string
  readonly stream: string
  readonly revision: number
  readonly type: string
  /** The model that could not use it; `*`: none can read it. */
  readonly model: string
  readonly reason: string
  readonly parkedAt: number
}

export class ReadStore extends Context.Service<
  ReadStore,
  {
    /** Asks the database that has the key. */
    readonly onShardOf: <Parameters extends object, Row>(
      key: string,
      query: Query<Parameters, Row>,
      parameters: Parameters,
    ) => Effect.Effect<ReadonlyArray<Row>, ReadStoreUnavailable>
    /** Asks every database at once: the answers one after the other. */
    readonly onEveryShard: <Parameters extends object, Row>(
      query: Query<Parameters, Row>,
      parameters: Parameters,
    ) => Effect.Effect<ReadonlyArray<Row>, ReadStoreUnavailable>
    /** Until the model has come to a position of the log, at most 5 s. */
    readonly waitFor: (
      model: string,
      position: string,
    ) => Effect.Effect<void, ReadModelBehind | ReadStoreUnavailable>
    /** Every database answers. */
    readonly ping: Effect.Effect<void, ReadStoreUnavailable>
    readonly checkpoints: Effect.Effect<ReadonlyArray<Checkpoint>, ReadStoreUnavailable>
    /** In log order, the first hundred. */
    readonly parked: Effect.Effect<ReadonlyArray<ParkedEvent>, ReadStoreUnavailable>
  }
>()("infra/read-store/ReadStore") {}

export type Invalidation =
  | { readonly _tag: "Changed"; readonly model: string; readonly keys: ReadonlyArray<string> }
  /** Any row of this model may have changed: too many to name. */
  | { readonly _tag: "ModelChanged"; readonly model: string }
  /** Nothing is known any more: the connection that tells was lost, or is new. */
  | { readonly _tag: "Cleared" }

export class Invalidations extends Context.Service<
  Invalidations,
  {
    /** What others committed, from now on, for ever. Begins with `Cleared` when the connections stand. */
    readonly changes: Stream.Stream<Invalidation>
  }
>()("infra/read-store/Invalidations") {}

// Writing

/** Another follower, or a rebuild, has moved the checkpoint: read it again. */
export class CheckpointMoved extends Schema.TaggedError<CheckpointMoved>()("CheckpointMoved", {
  model: Schema.String,
}) {}

/** Postgres refuses a row for what it holds, and always will. */
export class RowRefused extends Schema.TaggedError<RowRefused>()("RowRefused", {
  model: Schema.String,
  cause: Schema.Defect(),
}) {}

export type Row = Record<string, unknown>

export interface Model {
  readonly name: string
  /** Its first column is the primary key. */
  readonly table: PgTable
}

export interface ModelChanges {
  readonly model: Model
  /** The checkpoint these changes were made on; `null`: there is none yet. */
  readonly from: string | null
  readonly upserts: ReadonlyArray<Row>
  readonly removals: ReadonlyArray<string>
}

export interface Commit {
  readonly position: string
  readonly models: ReadonlyArray<ModelChanges>
  readonly parked: ReadonlyArray<ParkedEvent>
}

/** What a rebuild found when it compared its own rows with those that were there. */
export interface Comparison {
  readonly rows: number
  /** Rows that are missing, too many or not the same, and the keys of the first of them. */
  readonly differences: number
  readonly examples: ReadonlyArray<string>
}

/** A second copy of a model's table in every database, filled beside the first. */
export interface Shadow {
  /** Writes rows of one database. */
  readonly write: (
    database: number,
    changes: Pick<ModelChanges, "upserts" | "removals">,
  ) => Effect.Effect<void, RowRefused | ReadStoreUnavailable>
  readonly load: (
    database: number,
    keys: ReadonlyArray<string>,
  ) => Effect.Effect<ReadonlyMap<string, Row>, ReadStoreUnavailable>
  /**
   * Holds the followers of the model back, lets `catchUp` bring the shadow to the checkpoint that
   * stands, compares row by row and puts the shadow in the place of the live table.
   */
  readonly swap: <E>(
    database: number,
    catchUp: (checkpoint: string | null) => Effect.Effect<string, E>,
  ) => Effect.Effect<Comparison, E | ReadStoreUnavailable>
}

export class RowStore extends Context.Service<
  RowStore,
  {
    readonly databases: number
    readonly databaseOf: (key: string) => number
    /** Checkpoints in one database, by model. */
    readonly checkpoints: (
      database: number,
    ) => Effect.Effect<ReadonlyMap<string, string>, ReadStoreUnavailable>
    readonly load: (
      database: number,
      model: Model,
      keys: ReadonlyArray<string>,
    ) => Effect.Effect<ReadonlyMap<string, Row>, ReadStoreUnavailable>
    /** Rows, checkpoints, parked events and the news of them: one transaction. */
    readonly commit: (
      database: number,
      commit: Commit,
    ) => Effect.Effect<void, CheckpointMoved | RowRefused | ReadStoreUnavailable>
    /** An empty shadow of the model in every database, dropped with the scope. */
    readonly shadow: <A, E, R>(
      model: Model,
      use: (shadow: Shadow) => Effect.Effect<A, E, R>,
    ) => Effect.Effect<A, E | ReadStoreUnavailable, R>
  }
>()("infra/read-store/RowStore") {}
