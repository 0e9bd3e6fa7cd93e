/** What a worker process is told by its environment. */
import { availableParallelism } from "node:os"
import { Config, Schema } from "effect"
import { Cell } from "#domain/ids.ts"
import { Kind, type Slots } from "./kinds.ts"

export interface WorkerSettings {
  readonly cell: Cell
  /** `light`, `encode` or task types. */
  readonly kinds: ReadonlyArray<string>
  readonly slots: Readonly<Record<Slots, number>>
  /** How long a task waits for the next news of its upload before it gives its slot back. */
  readonly patienceSeconds: number
}

const atLeastOne = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const count = (name: string, otherwise: number) =>
  Config.schema(atLeastOne, name).pipe(Config.withDefault(otherwise))

const GIBIBYTE = 2 ** 30

export const workerSettings = Config.all({
  cell: Config.schema(Cell, "REELOG_CELL").pipe(Config.withDefault(Cell.make("loc"))),
  kinds: Config.Array(Kind, "REELOG_WORKER_KINDS").pipe(
    Config.withDefault(["light", "encode"] as ReadonlyArray<string>),
  ),
  slots: Config.all({
    light: count("REELOG_WORKER_LIGHT_SLOTS", 16),
    encode: count("REELOG_WORKER_SLOTS", Math.max(1, availableParallelism())),
  }),
  patienceSeconds: count("REELOG_WORKER_PATIENCE_SECONDS", 20),
})

export const scratchSettings = Config.all({
  directory: Config.String("REELOG_SCRATCH").pipe(Config.withDefault(".reelog/scratch")),
  quotaBytes: count("REELOG_SCRATCH_BYTES", 8 * GIBIBYTE),
})
