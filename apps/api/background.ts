/** What an API process does beside answering: opens the owner's channel once, and forgets cached rows when they change. */
import { Effect, Schedule, Stream } from "effect"
import { channel } from "#domain/channel/channel.ts"
import { Cache } from "#infra/cache/port.ts"
import { execute } from "#infra/event-store/execute.ts"
import { owner } from "#infra/identity/port.ts"
import { PersonalData } from "#infra/personal-data/port.ts"
import { Invalidations } from "#infra/read-store/port.ts"
import { now } from "./asker.ts"
import { rowKey } from "./reading.ts"

/** Until the stores answer; the command itself may arrive any number of times. */
const patiently = Schedule.exponential("200 millis").pipe(Schedule.upTo({ times: 8 }))

export const openOwnersChannel = Effect.gen(function* () {
  const personal = yield* PersonalData
  const name = yield* personal.seal(owner.accountId, "Reelog")
  yield* execute(
    channel,
    { _tag: "OpenChannel", ...owner, name, at: yield* now },
    { cause: `open ${owner.channelId}`, actor: owner.accountId },
  )
}).pipe(Effect.retry(patiently), Effect.withSpan("openOwnersChannel"))

export const forgetChangedRows = Effect.gen(function* () {
  const cache = yield* Cache
  const { changes } = yield* Invalidations
  yield* Stream.runForEach(changes, (change) =>
    change._tag === "Changed"
      ? cache.remove(change.keys.map((key) => rowKey(change.model, key)))
      : cache.clear,
  )
})
