/** What one video or the platform is asked: one function for each thing a user can do. */
import { Effect, Stream } from "effect"
import { type AnyObject, Api, type HistoryEvent } from "./api.ts"
import { problem } from "./problem.ts"
import { Screen, table } from "./screen.ts"
import { videoText } from "./video-text.ts"

export const show = Effect.fn("show")(function* (videoId: string) {
  const api = yield* Api
  const screen = yield* Screen
  const video = yield* api.video(videoId)
  yield* screen.result(video, ...videoText(video))
})

const MOST_DATA = 120

const eventText = ({ position, recordedAt, stream, revision, type, data }: HistoryEvent) => {
  const kind = stream.slice(0, stream.indexOf("-"))
  return [
    position,
    recordedAt ?? "",
    `${kind}@${revision}`,
    type,
    JSON.stringify(data).slice(0, MOST_DATA),
  ]
}

export const history = Effect.fn("history")(function* (videoId: string) {
  const api = yield* Api
  const screen = yield* Screen
  const events = yield* api.history(videoId)
  yield* Effect.forEach(events, (event) => screen.fact({ ...event }), { discard: true })
  yield* screen.result({ videoId, eventCount: events.length }, ...table(events.map(eventText)))
})

/** Events after which a person would look again; tasks come by the hundred. */
const isTurn = ({ stream, type }: HistoryEvent) =>
  stream.startsWith("video-") || type === "UploadRequested" || type === "UploadCompleted"

/** The video as it was at one moment; without a moment, as it was after each turn of its life. */
export const replay = Effect.fn("replay")(function* (videoId: string, at: string | undefined) {
  const api = yield* Api
  const screen = yield* Screen
  if (at !== undefined) {
    const then = yield* api.video(videoId, { at })
    return yield* screen.result(then, ...videoText(then))
  }
  const turns = (yield* api.history(videoId)).filter(isTurn)
  yield* Effect.forEach(
    turns,
    Effect.fnUntraced(function* ({ position, recordedAt, type }) {
      const { state, title } = yield* api.video(videoId, { at: position })
      yield* screen.fact({ position, recordedAt: recordedAt ?? null, type, state, title })
      yield* screen.say(`${position}  ${recordedAt ?? ""}  ${type}  ${state}  ${title ?? ""}`)
    }),
    { discard: true },
  )
  const now = yield* api.video(videoId)
  yield* screen.result(now, ...videoText(now))
})

export const takeDown = Effect.fn("takeDown")(function* (videoId: string, reason: string) {
  const api = yield* Api
  const screen = yield* Screen
  const done = yield* api.takeDown(videoId, reason)
  yield* screen.result(done, `${videoId} has been taken down (${reason})`)
})

export const reinstate = Effect.fn("reinstate")(function* (videoId: string) {
  const api = yield* Api
  const screen = yield* Screen
  const done = yield* api.reinstate(videoId)
  yield* screen.result(done, `${videoId} is back`)
})

export const remake = Effect.fn("remake")(function* (videoId: string) {
  const api = yield* Api
  const screen = yield* Screen
  const done = yield* api.remake(videoId)
  yield* screen.result(
    done,
    `${videoId} is made anew; what can be watched stays until that is whole`,
  )
})

const count = (value: AnyObject[string] | undefined) =>
  Array.isArray(value) ? value.length : Number(value ?? 0)

const word = (value: AnyObject[string] | undefined) =>
  typeof value === "object" ? JSON.stringify(value) : String(value ?? "")

const rowsOf = (value: AnyObject[string] | undefined, ...names: ReadonlyArray<string>) =>
  (Array.isArray(value) ? value : []).map((row) =>
    names.map((name) => word((row as AnyObject)[name])),
  )

export const queue = Effect.fn("queue")(function* () {
  const api = yield* Api
  const screen = yield* Screen
  const queues = yield* api.queue
  const section = (title: string, rows: ReadonlyArray<ReadonlyArray<string>>) => [
    title,
    ...table(rows).map((row) => `  ${row}`),
  ]
  yield* screen.result(
    queues,
    ...section(
      `task queue: ${count(queues.taskCount)}`,
      rowsOf(queues.taskQueue, "type", "taskId", "attempt"),
    ),
    ...section(
      `running: ${count(queues.runningCount)}`,
      rowsOf(queues.runningQueue, "step", "taskId", "worker"),
    ),
    ...section(
      `workers: ${count(queues.workerQueue)}`,
      rowsOf(queues.workerQueue, "worker", "free", "slots", "can"),
    ),
    ...rowsOf(queues.nobodyCan, "type", "count").map(
      ([type, tasks]) => `no worker takes ${type}: ${tasks} tasks wait`,
    ),
    `completion: ${word(queues.completionQueue)}`,
  )
})

const isWrong = ({ ok }: AnyObject) => ok === false

/** Tells each line as it comes; the last one is repeated as the result, or what was wrong as the problem. */
const report = Effect.fnUntraced(function* <E>(
  lines: Stream.Stream<AnyObject, E>,
  inWords: (line: AnyObject) => string,
  failed: { readonly code: string; readonly title: string },
) {
  const screen = yield* Screen
  const told: Array<AnyObject> = []
  yield* Stream.runForEach(lines, (line) =>
    Effect.andThen(
      Effect.sync(() => told.push(line)),
      Effect.andThen(screen.fact(line), screen.say(inWords(line))),
    ),
  )
  const wrong = told.filter(isWrong)
  const broken = wrong.find(({ code }) => typeof code === "string")
  if (broken !== undefined) {
    return yield* problem(String(broken.code), "The platform could not finish")
  }
  if (wrong.length > 0) return yield* problem(failed.code, failed.title, { wrong })
  if (told.length === 0) return yield* problem("nothing_looked_at", "There is nothing of that name")
  yield* screen.result({ ok: true, lineCount: told.length }, "all is well")
})

export const rebuild = Effect.fn("rebuild")(function* (model: string | undefined) {
  const api = yield* Api
  yield* report(
    api.rebuild(model),
    ({ model: name, rows, differences, events, seconds }) =>
      `${word(name)}: ${word(rows)} rows from ${word(events)} events in ${word(seconds)} s, ${word(differences)} differences`,
    { code: "rebuild_differs", title: "A read model was not what the log makes of it" },
  )
})

export const verify = Effect.fn("verify")(function* () {
  const api = yield* Api
  yield* report(
    api.verify,
    ({ check, looked, problems, ok }) =>
      `${ok === false ? "WRONG" : "ok"}  ${word(check)}: ${word(looked)} looked at${
        count(problems) === 0 ? "" : `, ${count(problems)} problems: ${word(problems)}`
      }`,
    { code: "verify_failed", title: "What the platform holds contradicts the log" },
  )
})
