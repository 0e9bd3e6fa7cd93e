/** All events of one video, from all its streams, in the order of the log; and what a fold of them was at any moment. */
import { Effect } from "effect"
import { isAfter, streamsOfVideo, type VideoId } from "#domain/ids.ts"
import { VideoNotFound } from "#domain/video/video.ts"
import { EventStore, type Recorded } from "#infra/event-store/port.ts"
import type { Fact } from "#projections/projection.ts"
import type { Moment } from "./asker.ts"

export const lifeOf = Effect.fn("lifeOf")(function* (videoId: VideoId) {
  const store = yield* EventStore
  const streams = yield* Effect.forEach(streamsOfVideo(videoId), (stream) => store.read(stream), {
    concurrency: "unbounded",
  })
  if (streams.every((events) => events.length === 0)) return yield* new VideoNotFound({ videoId })
  return streams.flat().sort((a, b) => (isAfter(a.position, b.position) ? 1 : -1))
})

const isBy =
  (moment: Moment) =>
  ({ position, recordedAt }: Recorded) =>
    "time" in moment ? recordedAt <= moment.time : !isAfter(position, moment.position)

export const until = (life: ReadonlyArray<Recorded>, moment: Moment | undefined) =>
  moment === undefined ? life : life.filter(isBy(moment))

/** The row of a projection as these events make it: the same fold that fills the read model. */
export const rowAfter = <Row>(
  { evolve }: { readonly evolve: (row: Row | null, fact: Fact) => Row | null },
  life: ReadonlyArray<Recorded>,
): Row | null =>
  life.reduce<Row | null>(
    (row, { event, ...place }) =>
      event._tag === "Unreadable" ? row : evolve(row, { event, ...place }),
    null,
  )
