import { describe, expect, test } from "bun:test"
import { Effect, Layer } from "effect"
import { inboxStream, transcodeStream, workerStream } from "#domain/ids.ts"
import { channelIdOf, planned, workerIdOf } from "#domain/scheduling/testing.ts"
import { memoryEventStore } from "#infra/event-store/memory.ts"
import { hmacIdentity } from "#infra/identity/hmac.ts"
import { memoryObjectStore } from "#infra/object-store/memory.ts"
import { personalData } from "#infra/personal-data/vault.ts"
import { type Asking, insideOver } from "./testing.ts"

const inside = insideOver({
  log: memoryEventStore,
  objects: memoryObjectStore,
  secrets: Layer.merge(hmacIdentity, personalData),
})

const worker = workerIdOf(1)

/** One task runs, one fails and waits, one is ready. */
const workIsDone = Effect.fnUntraced(function* ({ say, create }: Asking) {
  const videoId = yield* create({ visibility: "private" })
  const plan = planned(1, 1)
  if (plan._tag !== "TranscodePlanned") return yield* Effect.die("no plan")
  const transcode = `${videoId}.1`
  const steps = ["a", "b", "c"].map((name) => ({ name, type: "probe", after: [] }))
  yield* say(transcodeStream(videoId), {
    ...{ ...plan, videoId, transcode, channelId: channelIdOf(1), steps },
  })
  yield* say(workerStream(worker), { _tag: "WorkerStarted", worker, can: ["probe"], slots: 3 })
  for (const name of ["a", "b"]) {
    const lease = { videoId, taskId: `${transcode}/${name}`, attempt: 1, worker }
    yield* say(inboxStream(worker), { _tag: "TaskAssigned", ...lease, epoch: 0 })
    if (name === "b") continue
    yield* say(transcodeStream(videoId), {
      ...{ _tag: "TaskFailed", ...lease, code: "crashed", recoverable: true },
    })
  }
  return videoId
})

describe("the queues", () => {
  test("tell strangers how much there is to do and who works, but not on what", () =>
    inside((asking) =>
      Effect.gen(function* () {
        const videoId = yield* workIsDone(asking)
        const whole = yield* asking
          .ask("owner", "/v1/queue")
          .pipe(Effect.repeat({ until: ({ text }) => text.includes(`${videoId}.1/b`) }))
        const owners = JSON.parse(whole.text)
        expect(owners.taskQueue.length + owners.waiting.length).toBeGreaterThan(0)
        expect(owners.runningQueue).toHaveLength(1)

        const { status, text } = yield* asking.ask("stranger", "/v1/queue")
        expect(status).toBe(200)
        expect(text).not.toContain(videoId)
        const strangers = JSON.parse(text)
        const { taskCount, waitingCount, runningCount } = owners
        expect(strangers).toMatchObject({ taskCount, waitingCount, runningCount })
        expect(strangers.workerQueue).toMatchObject([{ worker, slots: 3, free: 2, warm: [] }])
      }),
    ))
})

describe("a video that is taken down", () => {
  const path = (id: string, rest = "") => `/v1/videos/${id}${rest}`
  const told = "A secret title"

  test("is closed to strangers at every door, its past too, until it is reinstated", () =>
    inside(({ ask, create }) =>
      Effect.gen(function* () {
        const id = yield* create({ description: told })
        const before = (yield* ask("owner", path(id, "/history"))).text
        const { position } = JSON.parse(before).events[0]
        const doors = ["", `?at=${position}`, "/events", `/events?after=${position}`]
        expect((yield* ask("stranger", path(id))).status).toBe(200)
        expect((yield* ask("stranger", path(id, `?at=${position}`))).status).toBe(200)

        yield* ask("owner", path(id, "/takedown"), "POST", { reason: "copyright" })
        for (const door of doors) {
          const { status, code, headers, text } = yield* ask("stranger", path(id, door))
          expect([door, status, code]).toEqual([door, 451, "video_taken_down"])
          expect(headers.get("content-type")).toBe("application/problem+json")
          expect(JSON.parse(text).reason).toBe("copyright")
          expect(text).not.toContain(told)
        }
        for (const door of ["/history", "/upload"]) {
          expect((yield* ask("stranger", path(id, door))).status).toBe(401)
        }
        for (const door of ["", `?at=${position}`, "/history", "/upload"]) {
          expect((yield* ask("owner", path(id, door))).status).toBe(200)
        }
        expect((yield* ask("owner", path(id))).text).toContain(told)

        yield* ask("owner", path(id, "/takedown"), "DELETE", {})
        expect((yield* ask("stranger", path(id))).status).toBe(200)
        expect((yield* ask("stranger", path(id, `?at=${position}`))).status).toBe(200)
      }),
    ))

  test("is not even closed for strangers when it is private", () =>
    inside(({ ask, create }) =>
      Effect.gen(function* () {
        const id = yield* create({ visibility: "private" })
        yield* ask("owner", path(id, "/takedown"), "POST", { reason: "copyright" })
        for (const door of ["", "?at=1", "/events"]) {
          expect((yield* ask("stranger", path(id, door))).status).toBe(404)
        }
      }),
    ))
})

test("what was private stays so after the video is opened, and an unlisted past may be seen", () =>
  inside(({ ask, create }) =>
    Effect.gen(function* () {
      const id = yield* create({ visibility: "private", title: "Held back" })
      const change = (more: object) => ask("owner", `/v1/videos/${id}`, "PATCH", more)
      const at = ({ headers }: { readonly headers: Headers }) =>
        ask("stranger", `/v1/videos/${id}?at=${headers.get("reelog-position")}`)
      const renamed = yield* change({ title: "Held back too" })
      const unlisted = yield* change({ title: "For friends", visibility: "unlisted" })
      yield* change({ title: "For all", visibility: "public" })
      expect((yield* at(renamed)).status).toBe(404)
      expect((yield* at(unlisted)).text).toContain("For friends")
      expect((yield* ask("stranger", `/v1/videos/${id}`)).text).toContain("For all")
    }),
  ))

test("the name of the file is told to its owner alone", () =>
  inside(({ ask, create }) =>
    Effect.gen(function* () {
      const path = `/v1/videos/${yield* create()}`
      expect((yield* ask("owner", path)).text).toContain("film.mp4")
      expect((yield* ask("stranger", path)).text).not.toContain("film.mp4")
    }),
  ))
