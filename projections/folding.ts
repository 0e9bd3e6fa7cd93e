/**
 * Folds a batch of events over the rows they belong to: one change for each row however many events
 * met it. An event that `evolve` can't take is set aside with the reason, and the row stays as it was.
 */
import type { PgTable } from "drizzle-orm/pg-core"
import { Result } from "effect"
import type { Fact } from "./projection.ts"

export type Row = Record<string, unknown>

/** A projection of whatever table. */
export interface AnyProjection {
  readonly name: string
  readonly table: PgTable
  readonly keyOf: (fact: Fact) => string | null
  evolve(row: Row | null, fact: Fact): Row | null
}

export interface SetAside {
  readonly fact: Fact
  readonly reason: string
}

export interface Changes {
  readonly upserts: ReadonlyArray<Row>
  readonly removals: ReadonlyArray<string>
  readonly setAside: ReadonlyArray<SetAside>
}

export interface Addressed {
  readonly key: string
  readonly fact: Fact
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).slice(0, 500)

const attempt = <A>(body: () => A) => Result.try({ try: body, catch: reasonOf })

/** Which row each event belongs to; what has no row here is left out. */
export const addressed = (
  { keyOf }: AnyProjection,
  facts: ReadonlyArray<Fact>,
): { readonly events: ReadonlyArray<Addressed>; readonly setAside: ReadonlyArray<SetAside> } => {
  const events: Array<Addressed> = []
  const setAside: Array<SetAside> = []
  for (const fact of facts) {
    const key = attempt(() => keyOf(fact))
    if (Result.isFailure(key)) setAside.push({ fact, reason: key.failure })
    else if (key.success !== null) events.push({ key: key.success, fact })
  }
  return { events, setAside }
}

export const foldRows = (
  projection: AnyProjection,
  rows: ReadonlyMap<string, Row>,
  events: ReadonlyArray<Addressed>,
): Changes => {
  const folded = new Map<string, Row | null>()
  const setAside: Array<SetAside> = []
  for (const { key, fact } of events) {
    const before = folded.has(key) ? folded.get(key) : rows.get(key)
    const after = attempt(() => projection.evolve(before ?? null, fact))
    if (Result.isFailure(after)) setAside.push({ fact, reason: after.failure })
    else folded.set(key, after.success)
  }
  const upserts: Array<Row> = []
  const removals: Array<string> = []
  for (const [key, row] of folded) {
    if (row === (rows.get(key) ?? null)) continue
    if (row === null) removals.push(key)
    else upserts.push(row)
  }
  return { upserts, removals, setAside }
}
