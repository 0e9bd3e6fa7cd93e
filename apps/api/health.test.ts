import { expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { transcodeStream, workerStream } from "#domain/ids.ts"
import { planned, videoIdOf, workerIdOf } from "#domain/scheduling/testing.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { insideOver } from "./testing.ts"

const inside = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

test("work that no worker takes is told by the queues and by the readiness, which it does not end", () =>
  inside(({ ask, say }) =>
    Effect.gen(function* () {
      const plan = planned(0, 0)
      if (plan._tag !== "TranscodePlanned") return
      const steps = ["probe", "gray", "gray"].map((type, n) => ({ name: `${n}`, type, after: [] }))
      yield* say(transcodeStream(videoIdOf(0)), { ...plan, steps })
      const worker = workerIdOf(0)
      const told = (path: string, text: string) =>
        ask("stranger", path).pipe(Effect.repeat({ until: (answer) => answer.text.includes(text) }))
      const types = (text: string) =>
        JSON.parse(text).nobodyCan.map(({ type, count }: { type: string; count: number }) => [
          ...[type, count],
        ])
      const nobody = yield* told("/readyz", '"type":"probe"')
      expect(nobody.status).toBe(200)
      expect(types(nobody.text)).toEqual([
        ["probe", 1],
        ["gray", 2],
      ])
      const started = { _tag: "WorkerStarted", worker, can: ["probe"], slots: 2 } as const
      yield* say(workerStream(worker), started)
      const { text } = yield* told("/v1/queue", worker)
      expect(types(text)).toEqual([["gray", 2]])
      expect(types((yield* ask("stranger", "/readyz")).text)).toEqual([["gray", 2]])
    }),
  ))
