/** What a scheduler process is told by its environment. */
import { Config, Schema } from "effect"
import { Cell } from "#domain/ids.ts"

export interface SchedulerSettings {
  readonly cell: Cell
  /** 0 stands for office as soon as it has read the log; the others wait for its silence. */
  readonly rank: number
}

const Rank = Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))

export const schedulerSettings = Config.all({
  cell: Config.schema(Cell, "REELOG_CELL").pipe(Config.withDefault(Cell.make("loc"))),
  rank: Config.schema(Rank, "REELOG_SCHEDULER_RANK").pipe(Config.withDefault(0)),
})
