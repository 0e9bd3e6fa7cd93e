/**
 * Where a command speaks. To a program (`--json`): NDJSON, the last line is the result. To a
 * person: sentences, and bars where there is a terminal; where there is none, a line now and then.
 */
import { Context, Effect, Layer } from "effect"
import type { ProblemBody } from "./problem.ts"

export interface Bar {
  readonly name: string
  readonly done: number
  readonly total: number
  /** How a person reads the two numbers. */
  readonly text: string
}

export interface Bars {
  readonly show: (bar: Bar) => void
  /** A sentence above the bars. */
  readonly say: (text: string) => void
  readonly stop: () => void
}

export class Screen extends Context.Service<
  Screen,
  {
    /** For programs alone. */
    readonly fact: (fact: ProblemBody) => Effect.Effect<void>
    /** For people alone. */
    readonly say: (text: string) => Effect.Effect<void>
    readonly bar: (bar: Bar) => Effect.Effect<void>
    /** Ends the bars, if there are any. */
    readonly result: (fact: ProblemBody, ...text: ReadonlyArray<string>) => Effect.Effect<void>
  }
>()("apps/cli/Screen") {}

export type Write = (text: string) => void

export const jsonScreen = (write: Write): Layer.Layer<Screen> => {
  const fact = (told: ProblemBody) => Effect.sync(() => write(`${JSON.stringify(told)}\n`))
  return Layer.succeed(
    Screen,
    Screen.of({ fact, say: () => Effect.void, bar: () => Effect.void, result: fact }),
  )
}

export const textScreen = (write: Write, bars: Bars = plainBars(write)): Layer.Layer<Screen> =>
  Layer.effect(
    Screen,
    Effect.acquireRelease(
      Effect.succeed(
        Screen.of({
          fact: () => Effect.void,
          say: (text) => Effect.sync(() => bars.say(text)),
          bar: (bar) => Effect.sync(() => bars.show(bar)),
          result: (_, ...text) =>
            Effect.sync(() => {
              bars.stop()
              for (const line of text) write(`${line}\n`)
            }),
        }),
      ),
      () => Effect.sync(() => bars.stop()),
    ),
  )

const STEP_PERCENT = 25

/** Without a terminal: a line for each quarter. */
export const plainBars = (write: Write): Bars => {
  const told = new Map<string, number>()
  return {
    show: ({ name, done, total, text }) => {
      const percent = total === 0 ? 0 : Math.floor((100 * done) / total)
      const quarter = Math.floor(percent / STEP_PERCENT)
      if (quarter <= (told.get(name) ?? 0)) return
      told.set(name, quarter)
      write(`${name} ${percent} % (${text})\n`)
    },
    say: (text) => write(`${text}\n`),
    stop: () => undefined,
  }
}

/** A table of a few columns, as wide as what stands in it. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  )
}

export const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
