/**
 * How a projection is asked: its queries are built once for each database and prepared there, and
 * run on the shard of a key or on all. The read store of `infra/` has the shape of `Shards`.
 */

import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core"
import type { Effect } from "effect"

export interface Query<Parameters, Row> {
  /** Unique in the program. */
  readonly name: string
  readonly prepare: (
    database: PgDatabase<PgQueryResultHKT>,
    name: string,
  ) => {
    readonly execute: (parameters: Record<string, unknown>) => PromiseLike<ReadonlyArray<Row>>
  }
  /** Never there: it only carries the type of what the query is given. */
  readonly takes?: Parameters
}

export const query =
  <Parameters extends object>() =>
  <Row>(name: string, prepare: Query<Parameters, Row>["prepare"]): Query<Parameters, Row> => ({
    name,
    prepare,
  })

export interface Shards<Failure> {
  readonly onShardOf: <Parameters extends object, Row>(
    key: string,
    query: Query<Parameters, Row>,
    parameters: Parameters,
  ) => Effect.Effect<ReadonlyArray<Row>, Failure>
  /** The answers of all databases, one after the other: the asker puts them in order. */
  readonly onEveryShard: <Parameters extends object, Row>(
    query: Query<Parameters, Row>,
    parameters: Parameters,
  ) => Effect.Effect<ReadonlyArray<Row>, Failure>
}
