/** How ffmpeg makes all renditions of the sound at once: one reading of the source, an output each. */
import { TICKS } from "#domain/transcode/facts.ts"
import { SAMPLES_PER_SECOND } from "./adts.ts"
import { loudnessFilter, tellingLoudness } from "./loudness.ts"
import { inputArguments } from "./sniff.ts"
import type { PlannedSound } from "./sound-plan.ts"
import type { OpenedIndex } from "./source-index.ts"

const filtersOf = ({ zero }: OpenedIndex, { name, group, track }: PlannedSound) =>
  [
    // Its default of 0.1 s moved all later sound early after a hole of 67 ms.
    `aresample=${SAMPLES_PER_SECOND}:async=1:min_hard_comp=0.01`,
    `asetpts=PTS-(${(zero / TICKS).toFixed(9)})/TB`,
    "atrim=start=0",
    "aresample=async=1:first_pts=0",
    // One channel goes to both sides as loud as it is.
    ...(track.channels === 1 ? ["pan=stereo|c0=c0|c1=c0"] : []),
    `aformat=channel_layouts=${group === "surround" ? "5.1" : "stereo"}`,
    loudnessFilter(name),
  ].join(",")

const outputOf = (
  index: OpenedIndex,
  planned: PlannedSound,
  from: string,
  to: string,
): ReadonlyArray<string> => [
  ...["-map", from, "-vn", "-sn", "-dn", "-af", filtersOf(index, planned)],
  ...["-c:a", "aac", "-b:a", String(planned.bitsPerSecond), "-map_metadata", "-1"],
  ...["-map_chapters", "-1", "-threads", "1", "-flush_packets", "1", "-f", "adts", to],
]

export const soundArguments = (
  index: OpenedIndex,
  plan: ReadonlyArray<PlannedSound>,
  isPacked: boolean,
): ReadonlyArray<string> => {
  const kept = [...new Set(plan.map(({ track }) => track.stream))].sort((a, b) => a - b)
  return [
    ...[...tellingLoudness, "-nostdin", "-y", "-copyts", "-threads", "1", "-filter_threads", "1"],
    ...inputArguments(index.demuxer, isPacked ? "pipe:0" : "/in"),
    ...plan.flatMap((planned, place) => {
      const { stream } = planned.track
      const from = isPacked ? `0:a:${kept.indexOf(stream)}` : `0:${stream}`
      return outputOf(index, planned, from, place === 0 ? "pipe:1" : `/out/${place - 1}`)
    }),
  ]
}
