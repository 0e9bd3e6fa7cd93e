/** Whether the ladder's top rung is the source itself: then the grid of the whole video is its key frames. */
import type { Rung } from "#domain/transcode/facts.ts"
import { copiedRung } from "#domain/transcode/ladder.ts"
import type { OpenedIndex, SourceIndex } from "../source-index.ts"
import { qualify } from "./qualify.ts"

export interface TopRung {
  readonly index: SourceIndex
  readonly rungs: ReadonlyArray<Rung>
  /** Where it is not copied. */
  readonly copyRefused?: ReadonlyArray<string>
}

export const withCopiedTop = (
  { head, ...index }: OpenedIndex,
  rungs: ReadonlyArray<Rung>,
  isAllowed: boolean,
): TopRung => {
  if (!isAllowed) return { index, rungs, copyRefused: ["switched-off"] }
  const top = rungs.at(-1)
  if (top === undefined) return { index, rungs, copyRefused: ["no-rung"] }
  const verdict = qualify({ ...index, head }, top)
  if (verdict._tag === "Refused") return { index, rungs, copyRefused: verdict.reasons }
  const { grid, avcC, colour } = verdict.plan
  return {
    index: { ...index, grid, copied: { avcC: avcC.toString("base64"), colour } },
    rungs: [...rungs.slice(0, -1), copiedRung(top, verdict.plan)],
  }
}
