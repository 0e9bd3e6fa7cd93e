/** What a task's programs took, as its event tells it beside its results. */
import type { Work } from "#domain/transcode/facts.ts"
import type { Encoded, Spent } from "#infra/media/port.ts"

export const workOf = ({ peakMebibytes, way }: Spent & Partial<Pick<Encoded, "way">>): Work => ({
  peakMebibytes: Math.ceil(peakMebibytes),
  ...(way !== undefined && { way }),
})
